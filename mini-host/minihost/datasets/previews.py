"""Some rows of a table, its first ones or those behind a mark, for people to look at: the rest is not read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from minihost.datasets import cells, schema
from minihost.datasets.csv_preview import csv_rows
from minihost.datasets.csv_table import CsvTable
from minihost.datasets.excel_table import ExcelTable
from minihost.datasets.parquet_table import ParquetTable
from minihost.errors import DataError

FARTHEST_SQL = 100_000
"""Rows of a database that are looked at: each page asks for those before it, too."""

LARGEST_SHEET = 4 << 20
"""Bytes of an Excel file up to which all cells are looked at for the types of its columns; of a larger one, those of
the rows that are shown."""


COUNTED = 4 << 20
"""Bytes of a CSV file up to which its rows are counted; of a longer one their number is estimated."""


@dataclass(frozen=True)
class Preview:
    """Rows of values: typed ones of Parquet files and databases, else the texts of cells, None for an empty one.

    `first` is the number of the first row from 0. `next` is the mark of the rows that follow, empty at the end. `count`
    is the number of all rows, None where it would have to be counted; `is_estimate` says that it is not exact.
    `mistake` says why there are no more rows than these though the table goes on.
    """

    columns: schema.Columns
    rows: list[list[Any]] = field(default_factory=list)
    first: int = 0
    next: str = ""
    count: int | None = None
    is_estimate: bool = False
    mistake: str = ""


def preview(table: Any, mark: str = "", size: int = 200) -> Preview:
    """Return at most so many rows from a mark on; raises `DataError` for what is no table or no mark."""
    if isinstance(table, CsvTable):
        return _of_csv(table, mark, size)
    start = _number(mark or "0")
    if isinstance(table, ParquetTable):
        return _of_parquet(table, start, size)
    if isinstance(table, ExcelTable) and table.path.stat().st_size > LARGEST_SHEET:
        table.most = start + size + 1
    if not hasattr(table, "narrowed"):
        return _of_texts(table, start, size)
    return _of_sql(table, start, size)


def _number(mark: str) -> int:
    if not (mark.isascii() and mark.isdigit() and len(mark) < 16):
        raise DataError(f"{mark[:40]!r} is no place in a table. Begin with its first row.")
    return int(mark)


def _of_csv(table: CsvTable, mark: str, size: int) -> Preview:
    place, _, row = (mark or "0-0").partition("-")
    start, first = _number(place), _number(row)
    columns = table.columns()
    found = csv_rows(table, start, first, size)
    behind = first + len(found.rows)
    follows = f"{found.end}-{behind}" if found.end else ""
    count: int | None = None if found.mistake else behind
    if found.end and found.size <= COUNTED:
        return Preview(columns, found.rows, first, follows, _counted(table))
    if found.end:
        rest = max(0, found.size - found.end) * len(found.rows)
        count = behind + rest // found.bytes_of_rows if found.bytes_of_rows else None
    return Preview(columns, found.rows, first, follows, count, bool(found.end), found.mistake)


def _counted(table: CsvTable) -> int | None:
    try:
        return sum(1 for _row in table.text_rows())
    except DataError:
        return None


def _of_parquet(table: ParquetTable, start: int, size: int) -> Preview:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = table.columns()
    try:
        with pq.ParquetFile(table.path, buffer_size=1 << 20) as file:
            facts = file.metadata
            group = before = 0
            while group < facts.num_row_groups and before + facts.row_group(group).num_rows <= start:
                before += facts.row_group(group).num_rows
                group += 1
            groups = range(group, facts.num_row_groups)
            batches = file.iter_batches(batch_size=size, row_groups=groups, use_threads=False) if groups else iter(())
            rows = list(itertools.islice(_rows_of(batches), start - before, start - before + size)) if groups else []
            count = int(facts.num_rows)
    except (pa.ArrowException, OSError) as err:
        raise DataError(f"{table.path} cannot be read as a Parquet file: {err}.") from err
    if table.escaped:
        rows = [[cells.unescape(value) if isinstance(value, str) else value for value in row] for row in rows]
    follows = start + len(rows)
    return Preview(columns, rows, start, str(follows) if rows and follows < count else "", count)


def _rows_of(batches: Iterator[Any]) -> Iterator[list[Any]]:
    for batch in batches:
        for at in range(0, batch.num_rows, 50):
            part = batch.slice(at, 50)
            yield from map(list, zip(*(column.to_pylist() for column in part.columns), strict=True))


def _of_texts(table: Any, start: int, size: int) -> Preview:
    """Rows of a table that is read from its beginning, whatever it is: those before are read, too."""
    columns = table.columns()
    rows: list[list[Any]] = []
    mistake = ""
    try:
        for row in itertools.islice(table.text_rows(), start, start + size + 1):
            rows.append([cell or None for cell in row])
    except DataError as err:
        mistake = str(err)
    more = len(rows) > size
    rows = rows[:size]
    follows = start + len(rows)
    return Preview(
        columns, rows, start, str(follows) if more else "", None if more or mistake else follows, mistake=mistake
    )


def _of_sql(table: Any, start: int, size: int) -> Preview:
    columns = table.columns()
    rows: list[list[Any]] = []
    mistake = ""
    if start >= FARTHEST_SQL:
        raise DataError(f"Rows of a database are shown up to number {FARTHEST_SQL:,}. Use a query for others.")
    values = table.narrowed(None, start + size + 1).values()
    try:
        for row in itertools.islice(values, start, None):
            rows.append(list(row))
    except DataError as err:
        mistake = str(err)
    more = len(rows) > size
    rows = rows[:size]
    follows = start + len(rows)
    found = Preview(columns, rows, start, count=None if more or mistake else follows, mistake=mistake)
    return replace(found, next=str(follows)) if more and follows < FARTHEST_SQL else found
