"""Writing a dataset as a CSV file: complete or not at all."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterable, Sequence
from typing import Any

from minihost.datasets import cells, schema
from minihost.datasets.writer import Writer


class CsvWriter(Writer):
    """Writes rows to a file beside the final one, and renames it when closed; unclosed, nothing appears."""

    def __init__(
        self, table: Any, columns: schema.Columns, append_to: Any = None, *, keep_schema: bool = False
    ) -> None:
        self.table, self.columns, self.keep_schema = table, columns, keep_schema
        self.types = [column["type"] for column in columns]
        self.escaped = keep_schema and table.escaped
        self.part = table.path.with_name(table.path.name + ".part")
        self.stream = open(self.part, "w", encoding=table.encoding or "utf-8", newline="")  # noqa: SIM115 (closed by close)
        separator = table.separator or ","
        self.csv = csv.writer(self.stream, delimiter=separator, lineterminator="\n")
        self.quoted = csv.writer(self.stream, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL)
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
        try:
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()
        except OSError:
            self.abandon()
            raise
        columns = self.columns
        if self.keep_schema:
            columns = (schema.read(self.table.path) or {}).get("columns", [])
        schema.write(self.table.path, columns, **({"escaped": True} if self.escaped else {}))
        self.part.replace(self.table.path)

    def abandon(self) -> None:
        """Drop what was written, unless it is in place already."""
        with contextlib.suppress(OSError):  # of a full disk: what was not written yet is not missed
            self.stream.close()
        self.part.unlink(missing_ok=True)
