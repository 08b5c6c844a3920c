"""Rows of a CSV file from a byte on: so that the pages of a long file each cost the same."""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from minihost.datasets import cells
from minihost.datasets.charsets import setting
from minihost.datasets.csv_table import _DECIMAL_COMMA, _END, CsvTable
from minihost.datasets.layouts import Layout
from minihost.errors import DataError

MOST_BYTES = 32 << 20
"""Bytes that are read for one page; a cell whose quote nobody closes has no more."""

HEAD = 1 << 16
_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32")


@dataclass
class CsvRows:
    """Some rows. `end` is where the next ones begin, 0 at the end of the file; `bytes_of_rows` what these took.

    `size` is that of the file, `mistake` what stands at the row after these.
    """

    rows: list[list[Any]] = field(default_factory=list)
    end: int = 0
    bytes_of_rows: int = 0
    size: int = 0
    mistake: str = ""


class TooMuch(Exception):
    """More was read than a page of rows may need."""


class _Lines:
    """The lines of a file as text; `done` counts the bytes up to the end of the last one that was asked for."""

    def __init__(self, stream: Any, encoding: str) -> None:
        self.stream, self.encoding = stream, encoding
        self.begin = self.done = stream.tell()

    def __iter__(self) -> Iterator[str]:
        while line := self.stream.readline(MOST_BYTES):
            if self.done == 0:
                line = line.removeprefix(b"\xef\xbb\xbf")
            self.done = self.stream.tell()
            if self.done - self.begin > MOST_BYTES:
                raise TooMuch
            yield line.decode(self.encoding)


def csv_rows(table: CsvTable, start: int, first: int, size: int) -> CsvRows:
    """Return at most so many rows from a byte on, 0 for the first row; `first` is the number of the first row.

    Where bytes and characters cannot be told from each other quickly, as in UTF-16, rows are counted instead. Raises
    `DataError` for what is no table.
    """
    layout = table._layout(whole=False)
    if not layout.names:
        return CsvRows()
    try:
        with open(table.path, "rb") as stream:
            found = CsvRows(size=os.fstat(stream.fileno()).st_size)
            head = stream.read(HEAD)
            if layout.encoding.lower().startswith(_WIDE) or (b"\r" in head and b"\n" not in head):
                return _counted(table, layout, first, size)
            stream.seek(start)
            lines = _Lines(stream, layout.encoding.removesuffix("-sig"))
            _read(table, layout, lines, found, size)
    except OSError as err:
        raise DataError(f"{table.path} cannot be read: {err.strerror}.") from err
    if found.mistake:
        found.mistake = f"{table.path}, after row {first + len(found.rows)}: {found.mistake}"
    return found


def _read(table: CsvTable, layout: Layout, lines: _Lines, found: CsvRows, size: int) -> None:
    source = iter(lines)
    end = layout.separator * len(layout.names) + _END  # a row of its own, unless a quote was left open
    reader = csv.reader(itertools.chain(source, [end]), delimiter=layout.separator)
    numbers, escaped = table._decimal_commas(layout), table.escaped
    try:
        if lines.begin == 0:
            for _ in range(layout.preamble):
                next(source, None)
            next((record for record in reader if any(map(str.strip, record)) or (layout.own and record)), None)
        begin = lines.done
        for record in reader:
            if record and record[-1].endswith(_END):
                is_whole = record[-1] == _END
                found.mistake = "" if is_whole else "a quote opens a cell and none closes it. Add the second."
                break
            row = _row(record, layout, numbers)
            if row is None:
                continue
            if isinstance(row, str):
                found.mistake = row
                break
            found.rows.append([(cells.unescape(cell) if escaped else cell) or None for cell in row])
            found.bytes_of_rows = lines.done - begin
            if len(found.rows) == size:
                break
    except UnicodeDecodeError as err:
        found.mistake = f"a byte is not {layout.encoding}: {err}.{setting(table.path, 'encoding', 'cp1252')}"
    except TooMuch:
        found.mistake = f"a row has more than {MOST_BYTES >> 20} MiB; perhaps a quote opens a cell and none closes it."
    except csv.Error as err:
        found.mistake = f"{err}."
    if not found.mistake and lines.done < found.size:
        found.end = lines.done
    else:
        while found.rows and not any(found.rows[-1]) and not layout.own:
            found.rows.pop()


def _row(record: list[str], layout: Layout, numbers: list[int]) -> list[str] | str | None:
    """A row with as many cells as there are columns; None for a line that is no row, a sentence for a wrong one."""
    width = len(layout.names)
    if not record:
        return None
    if len(record) > width and any(map(str.strip, record[width:])):
        return f"the next row has {len(record)} cells, the header has {width}."
    row = [*record[:width], *[""] * (width - len(record))]
    for place in numbers:
        row[place] = _DECIMAL_COMMA.sub(r"\1.\2", row[place])
    return row


def _counted(table: CsvTable, layout: Layout, first: int, size: int) -> CsvRows:
    """Rows that are found by reading those before them; `end` is a mark that says only that there are more."""
    found = CsvRows()
    try:
        for row in itertools.islice(table.text_rows(), first, first + size + 1):
            found.rows.append([cell or None for cell in row])
    except DataError as err:
        found.mistake = str(err)
    if len(found.rows) > size:
        found.rows.pop()
        found.end = 1
    return found
