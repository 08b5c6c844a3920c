"""A dataset kept as a CSV file: UTF-8, a header row, cells as text; the types lie in the schema file beside it.

Files that came from elsewhere are read as they are: see `minihost.datasets.layouts` for what is recognised.
"""

from __future__ import annotations

import csv
import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from minihost.datasets import cells, layouts, schema
from minihost.datasets.charsets import setting
from minihost.datasets.csv_writer import CsvWriter
from minihost.errors import DataError

csv.field_size_limit(min(sys.maxsize, 1 << 31 - 1))
_DECIMAL_COMMA = re.compile(r"^\s*([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)\s*$")
_LINE_END = re.compile(r"\r\n|\r|\n")
_END = "\0end of the file\0"
"""What is read after the last line of a file."""


class CsvTable:
    """One CSV file. `options` are `separator` and `encoding`, for files where they cannot be recognised; a file that is
    written has commas and UTF-8 where they are not given."""

    suffix = ".csv"
    usual_separator = ""
    """What separates the cells of every file of this kind; empty: it is recognised."""

    def __init__(self, path: Path, options: dict[str, Any] | None = None) -> None:
        self.path = path
        self.separator = str((options or {}).get("separator") or self.usual_separator)
        self.encoding = str((options or {}).get("encoding") or "")
        if self.encoding and not _is_text_encoding(self.encoding):
            raise DataError(f"Dataset {path}: encoding {self.encoding!r} is not known; utf-8, utf-16 and cp1252 are.")

    def exists(self) -> bool:
        """Whether there is data, possibly without rows."""
        return self.path.is_file()

    def columns(self) -> schema.Columns:
        """Return the columns: named by the header, typed by the schema file (text where that says nothing).

        Raises `DataError` for what is no table.
        """
        facts = self._facts()
        declared = list(facts.get("columns", []))
        if not self.exists():
            return declared
        names = list(self._layout(whole=False).names)
        if not names and not facts:
            raise DataError(f"{self.path} is empty: a table has a line with the names of its columns.")
        return schema.aligned(names, declared) if names else declared

    def set_columns(self, columns: Iterable[dict[str, Any]]) -> None:
        """Write the schema; data that is already there gets the new names by position, cells are cut or left empty."""
        checked = schema.checked(columns, str(self.path))
        names = [column["name"] for column in checked]
        if self.exists() and names != [column["name"] for column in self.columns()]:
            self._rewrite(names)
        schema.write(self.path, checked, **{key: fact for key, fact in self._facts().items() if key != "columns"})

    def text_rows(self) -> Iterator[list[str]]:
        """Yield each row as the text of its cells, streaming.

        Missing cells at the end of a row are empty, and the log says how many rows lack some. Raises `DataError` at a
        row with too many cells.
        """
        rows = self._raw_rows()
        return ([cells.unescape(cell) for cell in row] for row in rows) if self.escaped else rows

    def pandas_source(self) -> dict[str, Any]:
        """Return arguments with which pandas.read_csv reads the data; `rows` is for what it cannot read (see
        `frames.read`)."""
        layout = self._layout()
        self._tell(layout)
        if layout.irregular or self._decimal_commas(layout):
            return {"rows": self._raw_rows, "filepath_or_buffer": None}
        encoding = layouts.with_mark(layout.encoding)
        arguments = {"header": 0, "sep": layout.separator, "encoding": encoding}
        return {"rows": self._raw_rows, "filepath_or_buffer": self.path, **arguments}

    @property
    def escaped(self) -> bool:
        """Whether some text was escaped when it was written (see `cells.escape`)."""
        return bool(self._facts().get("escaped"))

    def writer(self, columns: schema.Columns, *, append_to: CsvTable | None = None) -> CsvWriter:
        """Open a writer that puts the data in place when it is closed."""
        return CsvWriter(self, columns, append_to)

    def _facts(self) -> dict[str, Any]:
        return schema.read(self.path) or {}

    def _layout(self, *, whole: bool = True) -> layouts.Layout:
        declared = tuple(column["name"] for column in self._facts().get("columns", []))
        return layouts.of(self.path, (self.separator, self.encoding), declared, whole=whole)

    def _tell(self, layout: layouts.Layout) -> None:
        layouts.tell(self.path, layout.said)

    def _decimal_commas(self, layout: layouts.Layout) -> list[int]:
        """The places of number columns in which a comma is the decimal mark, as where cells are cut elsewhere."""
        if layout.own or layout.separator == ",":
            return []
        columns = self.columns()
        return [place for place, column in enumerate(columns) if column["type"] in cells.FLOATS]

    def _raw_rows(self) -> Iterator[list[str]]:
        """Each row as it is stored, with as many cells as there are columns."""
        layout = self._layout()
        self._tell(layout)
        try:
            with open(self.path, encoding=layouts.with_mark(layout.encoding), newline="") as stream:
                yield from self._rows_of(stream, layout)
        except (csv.Error, UnicodeError) as err:
            raise DataError(
                f"{self.path} is not a CSV file in {layout.encoding}: {err}. Save it as CSV UTF-8."
                + setting(self.path, "encoding", "cp1252")
            ) from err
        except OSError as err:
            raise DataError(f"{self.path} cannot be read: {err.strerror}.") from err

    def _rows_of(self, stream: Any, layout: layouts.Layout) -> Iterator[list[str]]:
        """The rows below the header of an open file; those of another length than the header are mended or refused."""
        numbers, width, own = self._decimal_commas(layout), len(layout.names), layout.own
        if not width:
            return
        end = layout.separator * width + _END  # a row of its own, unless a quote was left open
        for _ in range(layout.preamble):
            next(stream, None)
        reader = csv.reader(itertools.chain(stream, [end]), delimiter=layout.separator)
        next((record for record in reader if any(map(str.strip, record)) or (own and record)), None)
        short = blank = 0
        record: list[str] = []
        for record in reader:
            if len(record) != width or not (own or any(record)):
                if record and record[-1].endswith(_END):
                    break
                if not any(map(str.strip, record)) and not (own and record) and width > 1:
                    blank += bool(record)
                    continue
                if not record:
                    continue
                short += len(record) < width
                record = self._completed(record, width, reader.line_num + layout.preamble)
            for place in numbers:
                record[place] = _DECIMAL_COMMA.sub(r"\1.\2", record[place])
            while blank:  # rows of empty cells count, unless they are the last ones
                blank -= 1
                yield [""] * width
            yield record
        if record[-1:] != [_END]:
            line = _first_line(record, reader.line_num + layout.preamble)
            raise DataError(f"{self.path}, line {line}: a quote opens a cell and none closes it. Add the second.")
        if short:
            rows = "1 row has" if short == 1 else f"{short} rows have"
            layouts.tell(self.path, f"{rows} fewer cells than the {width} columns; the missing cells are empty")

    def _completed(self, record: list[str], width: int, last_line: int) -> list[str]:
        """A row with empty cells for missing ones, without empty ones that no column has."""
        if len(record) < width:
            return record + [""] * (width - len(record))
        if any(map(str.strip, record[width:])):
            text = ", ".join(map(repr, record))
            raise DataError(
                f"{self.path}, line {_first_line(record, last_line)}: this row has {len(record)} cells, the header has "
                f"{width}: {text if len(text) < 300 else text[:300] + '…'}. "
                'Put a cell that holds the separator in quotes ("…"), or correct the row.'
            )
        return record[:width]

    def _rewrite(self, names: list[str]) -> None:
        with CsvWriter(self, [{"name": name, "type": "string"} for name in names], keep_schema=True) as writer:
            for row in self.text_rows() if names else ():
                writer.write_texts([[*row[: len(names)], *[""] * (len(names) - len(row))]])


class TsvTable(CsvTable):
    """A text file whose cells are separated by tabs."""

    suffix = ".tsv"
    usual_separator = "\t"


def _first_line(record: list[str], last_line: int) -> int:
    """The line that a row begins at: its cells may hold line ends."""
    return last_line - sum(len(_LINE_END.findall(cell)) for cell in record)


def _is_text_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except LookupError:
        return False
    return True
