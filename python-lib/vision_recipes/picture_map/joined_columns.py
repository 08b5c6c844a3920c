"""Columns of other tables, joined to the pictures by path."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from vision_recipes.dataset.cell_text import column_text
from vision_recipes.dataset.feature_table import PATH_NAMES
from vision_recipes.dataset.path_matching import PathMatches, match_paths
from vision_recipes.errors import SettingsError
from vision_recipes.picture_map.sources import OF_ROWS, MapColumn, MapSource
from vision_recipes.stores import Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

FOLDER = "folder"
RESERVED = ("images", "x", "y", "cluster", "cluster_name", "representative", "reason")
"""The names of the columns that the map itself has."""

_SAMPLE = 1000


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
    rows = list(table.rows())
    key = _path_column(paths, table, rows)
    if not key:
        raise SettingsError(
            f"{role}: no column of {table.name} holds paths of the pictures (the first is {paths[0]!r}). Give the "
            "dataset a column with the pictures' paths, or connect another one."
        )
    text, found = _matches(paths, rows, key)
    for remark in found.remarks:
        log.warning("%s: %s", role, remark)
    by_path = {path: row for row in rows if (path := found.find(text(row.get(key)))) is not None}
    log.info("%s: %d of %s are in %s", role, len(by_path), counted(len(set(paths)), "picture"), table.name)
    nothing: Mapping[str, Any] = {}
    return [
        MapColumn(name, table.types.get(name, "string"), [by_path.get(path, nothing).get(name) for path in paths])
        for name in table.columns
        if name != key and name not in OF_ROWS
    ]


def _path_column(paths: Sequence[str], table: Table, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the column that matches most pictures, first of those that are called as columns of paths are."""
    called = [name for name in table.columns if name.strip().casefold() in PATH_NAMES]
    others = [name for name in table.columns if name not in called]
    for names, some in ((called, rows), (others, rows[:_SAMPLE]), (others, rows)):
        counts = {name: len(_matches(paths, some, name)[1].of) for name in names}
        best = max(counts, key=lambda name: counts[name], default="")
        if best and counts[best]:
            return best
    return ""


def _matches(paths: Sequence[str], rows: Sequence[Mapping[str, Any]], column: str) -> tuple[Any, PathMatches]:
    text = column_text(row.get(column) for row in rows)
    return text, match_paths(list(dict.fromkeys(paths)), (text(row.get(column)) for row in rows))
