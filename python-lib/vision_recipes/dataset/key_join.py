"""Rows of a table that each stand for several pictures, as of a house: joined by a key in the file names."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from vision_recipes.dataset.cell_text import column_text, folded
from vision_recipes.dataset.file_name_patterns import reader
from vision_recipes.errors import SettingsError
from vision_recipes.stores import Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

Row = Mapping[str, Any]


def join_by_key(table: Table, paths: Sequence[str], pattern: str, column: str = "") -> dict[str, Row]:
    """Return the row of each picture whose name holds a key of the table, by its path in the listing.

    `pattern` is one of file_name_patterns with {key}. `column` holds the keys; without a name it is the column in which
    most of them are found, the first of several. Keys are compared as text, in any case, whole numbers without leading
    zeros. The last row of a key counts. Raises LabelsError for a bad pattern, SettingsError when no picture has a row.
    """
    read = reader(pattern, "key")
    pictures: dict[str, list[str]] = {}
    for path in paths:
        if key := read(path):
            pictures.setdefault(_plain(key), []).append(path)
    rows = list(table.rows())
    found = {name: _by_key(rows, name) for name in ([column] if column else table.columns)}
    chosen = max(found, key=lambda name: len(found[name].keys() & pictures.keys()), default="")
    if not chosen or not found[chosen].keys() & pictures.keys():
        first = next(iter(pictures), None)
        said = f"the first key is {first!r}" if first else f"no file name fits; the first is {next(iter(paths), '')!r}"
        raise SettingsError(
            f"key_pattern {pattern!r}: {f'column {column!r}' if column else 'no column'} of {table.name} holds "
            f"{'no key' if column else 'keys'} of the folder's file names ({said})."
        )
    joined = {path: row for key, row in found[chosen].items() for path in pictures.get(key, ())}
    log.info("extra columns come from %s by column %r: %s", table.name, chosen, _counts(pictures, found[chosen], paths))
    if repeated := sum(1 for row in rows if row.get(chosen) is not None) - len(found[chosen]):
        log.warning("%s again; the last row counts", counted(repeated, f"row of {table.name} has a key"))
    return joined


def _by_key(rows: Sequence[Row], column: str) -> dict[str, Row]:
    text = column_text(row.get(column) for row in rows)
    return {_plain(key): row for row in rows if (key := text(row.get(column)))}


def _plain(key: str) -> str:
    plain = folded(key)
    return (plain.lstrip("0") or "0") if plain.isdigit() else plain


def _counts(pictures: Mapping[str, list[str]], rows: Mapping[str, Row], paths: Sequence[str]) -> str:
    with_row = sum(len(found) for key, found in pictures.items() if key in rows)
    unused = sum(key not in pictures for key in rows)
    return (
        f"{counted(len(paths), 'file')}, {len(paths) - with_row} without a row; "
        f"{counted(unused, 'row names', 'rows name')} no file"
    )
