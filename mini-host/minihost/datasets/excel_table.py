"""A dataset that is a sheet of an Excel file: read with the types of its cells, never written."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from minihost.datasets import cells, excel_workbook, layouts, schema
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

    where: str
    """The file and the sheet, for messages."""

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
        self.most = 0
        """How many rows there are for those who look at the beginning alone, types and all; 0: all rows."""

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
        columns = list(zip(table.places, (column["type"] for column in table.columns), strict=True))
        wanted = table.header + 1
        with excel_workbook.opened(self.path, self.sheet) as sheet:
            for number, row in excel_workbook.rows(sheet, table.where):
                values = _values(row, table.where)
                if number <= table.header or not values:
                    continue
                for _ in range(wanted, number):
                    yield [""] * len(columns)
                wanted = number + 1
                if self.most and number > table.header + self.most:
                    return
                if stray := values.keys() - set(table.places):
                    place = min(stray)
                    raise DataError(
                        f"{table.where}, cell {_cell(number, place)}: {str(values[place])[:60]!r} stands where the "
                        f"header (row {table.header}) has no name. Name the column, or clear the cell."
                    )
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
        return _found(self.path, self.sheet, (stat.st_mtime_ns, stat.st_size, stat.st_ino), self.most)


def _values(row: tuple[Any, ...], where: str) -> dict[int, Any]:
    """The values of a row by the number of their column from 1; `1.0`, as some programs write it, is the integer 1."""
    found = {}
    for place, cell in enumerate(row, start=1):
        value = cell.value
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        if cell.data_type == "e":
            raise DataError(
                f"{where}, cell {cell.coordinate}: it holds the error {value}. Correct the formula, or clear the cell."
            )
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            value = int(value)
        elif type(value) is dt.date:
            value = dt.datetime.combine(value, dt.time())
        found[place] = value
    return found


@functools.lru_cache(maxsize=2)
def _found(path: Path, name: str, _stamp: tuple[int, ...], most: int) -> _Table:
    from openpyxl.cell.read_only import EMPTY_CELL

    header, names, blank = 0, {}, False
    kinds: dict[int, set[str]] = {}
    with excel_workbook.opened(path, name) as sheet:
        others = [other.title for other in sheet.parent.worksheets if other is not sheet]
        where = f"{path}, sheet {sheet.title!r}"
        for number, row in excel_workbook.rows(sheet, where):
            if most and header and number > header + most:
                break
            values = _values(row, where)
            blank = blank or any(
                cell.value is None and cell.data_type != "str" and cell is not EMPTY_CELL for cell in row
            )
            if header:
                for place, value in values.items():
                    kinds.setdefault(place, set()).add(_kind(value))
            elif values:
                header, names = number, {place: _text(value, "string") for place, value in values.items()}
    if blank and not most:
        excel_workbook.refuse_formulas_without_results(path, name, where)
    if not names:
        hint = f" The other sheets are {', '.join(map(repr, others))}; name one by `sheet:` in flow.yaml."
        raise DataError(f"{where} is empty.{hint if others else ''}")
    unique, notes = layouts.cleaned(list(names.values()))
    if others and not name:
        notes.insert(0, f"sheet {sheet.title!r} is read, not {', '.join(map(repr, others[:5]))}")
    titles = dict(zip(names, unique, strict=True))
    places = tuple(place for place in range(min(names), max(names) + 1) if place in names or place in kinds)
    columns = [
        {"name": titles.get(place) or _cell("", place), "type": _type(kinds.get(place, set()))} for place in places
    ]
    schema.checked(columns, where)
    return _Table(where, header, places, columns, "; ".join(notes))


def _cell(row: int | str, place: int) -> str:
    """The name of a cell, such as `B7`."""
    from openpyxl.utils import get_column_letter

    return f"{get_column_letter(place)}{row}"


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
