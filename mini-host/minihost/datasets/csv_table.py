"""A dataset kept as a CSV file: UTF-8, a header row, cells as text; the types lie in the schema file beside it."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from minihost.datasets import cells, schema
from minihost.errors import DataError

csv.field_size_limit(min(sys.maxsize, 1 << 31 - 1))


class CsvTable:
    """One CSV file. `options` are `separator` and `encoding`, for files that came from elsewhere."""

    suffix = ".csv"

    def __init__(self, path: Path, options: dict[str, Any] | None = None) -> None:
        self.path = path
        self.separator = str((options or {}).get("separator", ","))
        self.encoding = str((options or {}).get("encoding", "utf-8"))

    def exists(self) -> bool:
        """Whether there is data, possibly without rows."""
        return self.path.is_file()

    def columns(self) -> schema.Columns:
        """Return the columns: named by the header, typed by the schema file (text where that says nothing)."""
        declared = self._facts().get("columns", [])
        if not self.exists():
            return list(declared)
        with self._open() as stream:
            header = next(self._records(stream), None)
        return list(declared) if header is None else schema.aligned(_unique(header), declared)

    def set_columns(self, columns: Iterable[dict[str, Any]]) -> None:
        """Write the schema; data that is already there gets the new names by position when their number is the same."""
        checked = schema.checked(columns, str(self.path))
        names = [column["name"] for column in checked]
        if (
            self.exists()
            and len(names) == len(self.columns())
            and names != [column["name"] for column in self.columns()]
        ):
            self._rewrite(names)
        schema.write(self.path, checked, **{key: fact for key, fact in self._facts().items() if key != "columns"})

    def text_rows(self) -> Iterator[list[str]]:
        """Yield each row as the text of its cells, streaming; raises `DataError` at a row with too many cells."""
        width, escaped = len(self.columns()), self.escaped
        with self._open() as stream:
            records = self._records(stream)
            next(records, None)
            for number, record in enumerate(records, start=2):
                if len(record) > width:
                    raise DataError(
                        f"{self.path}: record {number} has {len(record)} cells, the header has {width}. Fix that row."
                    )
                if escaped:
                    record = [cells.unescape(cell) for cell in record]
                yield record if len(record) == width else record + [""] * (width - len(record))

    def pandas_source(self) -> dict[str, Any]:
        """Return arguments with which pandas.read_csv reads the data."""
        return {"filepath_or_buffer": self.path, "header": 0, "sep": self.separator, "encoding": self._reading}

    @property
    def escaped(self) -> bool:
        """Whether some text was escaped when it was written (see `cells.escape`)."""
        return bool(self._facts().get("escaped"))

    def writer(self, columns: schema.Columns, *, append_to: CsvTable | None = None) -> CsvWriter:
        """Open a writer that puts the data in place when it is closed."""
        return CsvWriter(self, columns, append_to)

    def _facts(self) -> dict[str, Any]:
        return schema.read(self.path) or {}

    @property
    def _reading(self) -> str:
        return "utf-8-sig" if self.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else self.encoding

    def _open(self) -> Any:
        return open(self.path, encoding=self._reading, newline="")

    def _records(self, stream: Any) -> Iterator[list[str]]:
        try:
            for record in csv.reader(stream, delimiter=self.separator):
                if record:
                    yield record
        except (csv.Error, UnicodeDecodeError) as err:
            raise DataError(f"{self.path} is not a CSV file in {self.encoding}: {err}.") from err

    def _rewrite(self, names: list[str]) -> None:
        with CsvWriter(self, [{"name": name, "type": "string"} for name in names], keep_schema=True) as writer:
            for row in self.text_rows():
                writer.write_texts([row])


class CsvWriter:
    """Writes rows to a file beside the final one, and renames it when closed; unclosed, nothing appears."""

    def __init__(
        self, table: CsvTable, columns: schema.Columns, append_to: CsvTable | None = None, *, keep_schema: bool = False
    ) -> None:
        self.table, self.columns, self.keep_schema = table, columns, keep_schema
        self.types = [column["type"] for column in columns]
        self.escaped = keep_schema and table.escaped
        self.part = table.path.with_name(table.path.name + ".part")
        self.stream = open(self.part, "w", encoding=table.encoding, newline="")  # noqa: SIM115 (closed by close)
        self.csv = csv.writer(self.stream, delimiter=table.separator, lineterminator="\n")
        self.quoted = csv.writer(self.stream, delimiter=table.separator, lineterminator="\n", quoting=csv.QUOTE_ALL)
        if columns:
            self.write_texts([[column["name"] for column in columns]])
        if append_to is not None and append_to.exists():
            self.write_texts(append_to.text_rows())

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows of values, in the order of the columns."""
        types = self.types
        self.write_texts([cells.to_text(value, kind) for value, kind in zip(row, types, strict=True)] for row in rows)

    def write_frame(self, frame: Any) -> None:
        """Write a data frame by position."""
        from minihost.datasets.frames import text_columns

        self.write_texts(zip(*text_columns(frame, self.types), strict=True))

    def write_texts(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows of texts; what UTF-8 cannot hold is escaped, and the schema file remembers it."""
        for row in rows:
            line = "".join(row)
            if not line.isascii() or "\\" in line:
                safe = [cells.escape(cell) for cell in row]
                self.escaped = self.escaped or safe != list(row)
                row = safe
            # Before Python 3.13 the csv module does not quote a lone carriage return: such rows quote everything.
            (self.quoted if "\r" in line else self.csv).writerow(row)

    def close(self) -> None:
        """Put the data in place; a second call does nothing."""
        if self.stream.closed:
            return
        self.stream.flush()
        os.fsync(self.stream.fileno())
        self.stream.close()
        columns = self.columns
        if self.keep_schema:
            columns = self.table._facts().get("columns", [])
        schema.write(self.table.path, columns, **({"escaped": True} if self.escaped else {}))
        self.part.replace(self.table.path)

    def abandon(self) -> None:
        """Drop what was written, unless it is in place already."""
        self.stream.close()
        self.part.unlink(missing_ok=True)

    def __enter__(self) -> CsvWriter:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.abandon()


def _unique(header: list[str]) -> list[str]:
    names: list[str] = []
    for name in header:
        unique, number = name, 1
        while unique in names:
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    return names
