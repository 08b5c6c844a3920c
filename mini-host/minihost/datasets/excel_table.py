"""A dataset that is a sheet of an Excel file: read with the types of its cells, never written."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from minihost.datasets import cells, layouts, schema
from minihost.datasets.text_stream import TextOf
from minihost.errors import DataError

_TYPES = (
    ({"int"}, "bigint"),
    ({"int", "float"}, "double"),
    ({"float"}, "double"),
    ({"bool"}, "boolean"),
    ({"date"}, "dateonly"),
    ({"date", "datetime"}, "datetimenotz"),
    ({"datetime"}, "datetimenotz"),
)
"""Kinds of values in a column -> its storage type; a column of anything else is text."""


@dataclass(frozen=True)
class _Table:
    """The table in a sheet: the row of its header and its columns, by the number of each in the sheet."""

    sheet: Any
    """A `minihost.datasets.excel_sheet.Sheet`."""

    header: int
    places: tuple[int, ...]
    columns: schema.Columns
    said: str


class ExcelTable:
    """One sheet of an Excel file, the first unless the option `sheet` names one. The first row that is not empty is the
    header; rows of empty cells below the last value do not count."""

    suffix = ".xlsx"
    escaped = False

    def __init__(self, path: Path, options: dict[str, Any] | None = None) -> None:
        self.path = path
        self.sheet = str((options or {}).get("sheet") or "")

    def exists(self) -> bool:
        """Whether there is data, possibly without rows."""
        return self.path.is_file()

    def columns(self) -> schema.Columns:
        """Return the columns, typed by what stands in their cells: the sheet is read once for it."""
        return [dict(column) for column in self._table().columns] if self.exists() else []

    def text_rows(self) -> Iterator[list[str]]:
        """Yield each row as the text of its cells, streaming; raises `DataError` at a cell where no column is."""
        table = self._table()
        layouts.tell(self.path, table.said)
        kinds = [column["type"] for column in table.columns]
        columns = list(zip(table.places, kinds, strict=True))
        wanted = table.header + 1
        for number, values in table.sheet.rows():
            if number <= table.header:
                continue
            for _ in range(wanted, number):
                yield [""] * len(columns)
            wanted = number + 1
            if len(values.keys() & set(table.places)) < len(values):
                _stray(table, number, values)
            yield [_text(values.get(place), kind) for place, kind in columns]

    def pandas_source(self) -> dict[str, Any]:
        """Return arguments with which pandas.read_csv reads the data."""
        return {"filepath_or_buffer": TextOf(self.text_rows(), str(self.path)), "header": None}

    def set_columns(self, columns: Iterable[dict[str, Any]]) -> None:
        """Refuse: Excel files are not written."""
        self._refuse()

    def writer(self, columns: schema.Columns, *, append_to: Any = None) -> NoReturn:
        """Refuse: Excel files are not written."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise DataError(f"{self.path}: Excel files are read and not written. Choose a .csv or .parquet file.")

    def _table(self) -> _Table:
        try:
            stat = self.path.stat()
        except OSError as err:
            raise DataError(f"{self.path} cannot be read: {err.strerror}.") from err
        return _found(self.path, self.sheet, (stat.st_mtime_ns, stat.st_size, stat.st_ino))


@functools.lru_cache(maxsize=2)
def _found(path: Path, name: str, _stamp: tuple[int, ...]) -> _Table:
    from minihost.datasets.excel_sheet import place_of
    from minihost.datasets.excel_workbook import opened

    sheet = opened(path, name)
    rows = sheet.rows()
    header, values = next(rows, (0, {}))
    names = {place: _text(value, "string") for place, value in sorted(values.items())}
    if not names:
        others = f" The other sheets are {', '.join(map(repr, sheet.others))}; name one by `sheet:` in flow.yaml."
        raise DataError(f"{sheet.where} is empty.{others if sheet.others else ''}")
    unique, notes = layouts.cleaned(list(names.values()))
    places = range(min(names), max(names) + 1)
    kinds: dict[int, set[str]] = {}
    for _number, found in rows:
        for place, value in found.items():
            kinds.setdefault(place, set()).add(_kind(value))
    used = tuple(place for place in places if place in names or place in kinds)
    named = dict(zip(names, unique, strict=True))
    free = (letter for letter in (place_of(1, place)[:-1] for place in used if place not in named))
    columns = [
        {"name": named[place] if place in named else next(free), "type": _type(kinds.get(place, set()))}
        for place in used
    ]
    schema.checked(columns, sheet.where)
    if sheet.others and not name:
        notes.insert(0, f"sheet {sheet.name!r} is read, not {', '.join(map(repr, sheet.others[:5]))}")
    return _Table(sheet, header, used, columns, "; ".join(notes))


def _type(kinds: set[str]) -> str:
    return next((name for known, name in _TYPES if kinds == known), "string")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(2**63) <= value < 2**63 else "float"
    if isinstance(value, float):
        return "float"
    if isinstance(value, dt.datetime):
        return "date" if value.time() == dt.time() else "datetime"
    return "text"


def _text(value: Any, kind: str) -> str:
    """The text of a cell: a moment without time of day as its day where the column is text."""
    if kind == "double" and isinstance(value, int):
        return repr(float(value))
    if kind == "string" and isinstance(value, dt.datetime):
        return cells.date_text(value, "dateonly" if value.time() == dt.time() else "datetimenotz")
    if isinstance(value, dt.time | dt.timedelta):
        return str(value)
    return cells.to_text(value, kind)


def _stray(table: _Table, number: int, values: dict[int, Any]) -> None:
    """Raise `DataError` for a value beside the table."""
    from minihost.datasets.excel_sheet import place_of

    for place, value in values.items():
        if place not in table.places:
            raise DataError(
                f"{table.sheet.where}, cell {place_of(number, place)}: {str(value)[:60]!r} stands where the header "
                f"(row {table.header}) has no name. Name the column, or clear the cell."
            )
