"""Columns of other tables, joined to the pictures by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from vision_recipes.dataset.extra_columns import join, path_column
from vision_recipes.picture_map.sources import OF_ROWS, MapColumn, MapSource
from vision_recipes.stores import Table

FOLDER = "folder"
RESERVED = ("images", "x", "y", "cluster", "cluster_name", "representative", "reason")
"""The names of the columns that the map itself has."""


def all_columns(source: MapSource, tables: Mapping[str, Table | None]) -> list[MapColumn]:
    """Return the columns of the pictures: their own, those of the tables by role, and the folder that they lie in.

    A name that is taken already gets the role's first word before it, such as scored_label. Raises SettingsError for
    a table in which no path is found.
    """
    taken = set(RESERVED)
    columns = [_renamed(column, "picture", taken) for column in source.columns]
    for role, table in tables.items():
        if table is not None:
            word = role.partition("_")[0]
            columns += [_renamed(column, word, taken) for column in _join(source.paths, table, role)]
    folders = [str(PurePosixPath(path.strip("/")).parent) for path in source.paths]
    if 1 < len(set(folders)) <= len(folders) // 2:
        columns.append(_renamed(MapColumn(FOLDER, "string", folders), "picture", taken))
    return columns


def _renamed(column: MapColumn, word: str, taken: set[str]) -> MapColumn:
    name = column.name if column.name not in taken else f"{word}_{column.name}"
    number = 2
    while name in taken:
        name, number = f"{word}_{column.name}_{number}", number + 1
    taken.add(name)
    return MapColumn(name, column.type, column.cells)


def _join(paths: Sequence[str], table: Table, role: str) -> list[MapColumn]:
    what, different = f"columns of {role}", list(dict.fromkeys(paths))
    key = path_column(table, different, what)
    names = [name for name in table.columns if name != key and name not in OF_ROWS]
    rows = join(table, different, names, key, what)
    nothing: Mapping[str, Any] = {}
    return [
        MapColumn(name, table.types.get(name, "string"), [rows.get(path, nothing).get(name) for path in paths])
        for name in names
    ]
