"""A dataset kept as a Parquet file: types inside, vectors as lists of numbers, written in row groups."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from minihost.datasets import cells, schema
from minihost.datasets.arrow import arrow_schema, columns_of, natives, stored_cells, texts_of
from minihost.datasets.text_stream import TextOf
from minihost.datasets.writer import Writer, check_width
from minihost.errors import DataError, UnfitDataError

GROUP_ROWS = 50_000
"""Rows of a row group; fewer when rows are wide."""

GROUP_WEIGHT = 4_000_000
"""Numbers and letters of a row group, roughly, at most: every `SAMPLE`th row is weighed."""

SAMPLE = 16
BATCH = 2048
BATCH_CELLS = 1 << 18
"""Rows and cells of a batch that is read, at most."""


class ParquetTable:
    """One Parquet file. Its schema lies in its metadata; comments set later lie in the schema file beside it."""

    suffix = ".parquet"

    def __init__(self, path: Path, options: dict[str, Any] | None = None) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether there is data, possibly without rows."""
        return self.path.is_file()

    def columns(self) -> schema.Columns:
        """Return the columns: as the schema file says, or as the file's own metadata and types say."""
        declared = (schema.read(self.path) or {}).get("columns")
        if not self.exists():
            return list(declared or [])
        own = columns_of(self._file().schema_arrow)
        return schema.aligned([column["name"] for column in own], declared) if declared else own

    def set_columns(self, columns: Iterable[dict[str, Any]]) -> None:
        """Write the schema; data that is already there is rewritten by position when names or types change.

        Raises `UnfitDataError` where that data cannot have the new types.
        """
        checked = schema.checked(columns, str(self.path))
        if self.exists() and [_core(column) for column in self.columns()] != [_core(column) for column in checked]:
            try:
                self._rewrite(checked)
            except DataError as err:
                raise UnfitDataError(str(err)) from err
        schema.write(self.path, checked)

    def text_rows(self) -> Iterator[list[str]]:
        """Yield each row as the text of its cells, streaming."""
        escaped = self.escaped
        for row in self._raw_rows():
            yield [cells.unescape(cell) for cell in row] if escaped else list(row)

    def stored_rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row: whole and floating-point numbers as such, None for null, and the text of other cells."""
        types, escaped = [column["type"] for column in self.columns()], self.escaped
        for batch in self._batches():
            stored = [stored_cells(column, kind) for column, kind in zip(batch.columns, types, strict=True)]
            if escaped:
                stored = [[cells.unescape(cell) if type(cell) is str else cell for cell in column] for column in stored]
            yield from zip(*stored, strict=True)

    def pandas_source(self) -> dict[str, Any]:
        """Return arguments with which pandas.read_csv reads the data: frames are made from text, always."""
        return {"filepath_or_buffer": TextOf(self._raw_rows(), str(self.path)), "header": None}

    @property
    def escaped(self) -> bool:
        """Whether some text was escaped when it was written (see `cells.escape`)."""
        return self.exists() and b"minihost.escaped" in (self._file().metadata.metadata or {})

    def writer(self, columns: schema.Columns, *, append_to: ParquetTable | None = None) -> ParquetWriter:
        """Open a writer that puts the data in place when it is closed."""
        return ParquetWriter(self, columns, append_to)

    def _raw_rows(self) -> Iterator[tuple[str, ...]]:
        types = [column["type"] for column in self.columns()]
        for batch in self._batches():
            texts = [texts_of(column, kind) for column, kind in zip(batch.columns, types, strict=True)]
            yield from zip(*texts, strict=True)

    def discard(self) -> None:
        """Delete the data; the schema file stays."""
        self.path.unlink()

    def _rewrite(self, columns: schema.Columns) -> None:
        with ParquetWriter(self, columns) as writer:
            for batch in self._batches():
                kept = [column.to_pylist() for column in batch.columns[: len(columns)]]
                added = [[None] * batch.num_rows] * (len(columns) - len(kept))
                writer.write(zip(*kept, *added, strict=True))

    def _file(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self.path)
        except (pa.ArrowInvalid, OSError) as err:
            raise DataError(f"{self.path} is not a Parquet file: {err}.") from err

    def _batches(self) -> Iterator[Any]:
        file = self._file()
        wide = any(str(field.type).startswith(("list", "fixed_size_list", "large_list")) for field in file.schema_arrow)
        rows = min(BATCH // 8 if wide else BATCH, max(1, BATCH_CELLS // max(1, len(file.schema_arrow))))
        yield from file.iter_batches(batch_size=rows, use_threads=False)


class ParquetWriter(Writer):
    """Gathers rows into row groups; the types of lists are chosen when the first group is written."""

    def __init__(self, table: ParquetTable, columns: schema.Columns, append_to: ParquetTable | None = None) -> None:
        self.table, self.columns = table, columns
        self.types = [column["type"] for column in columns]
        self.part = table.path.with_name(table.path.name + ".part")
        self.rows: list[Sequence[Any]] = []
        self.weight = 0
        self.writer: Any = None
        self.escaped = False
        self.closed = False
        self.part.write_bytes(b"")
        if append_to is not None and append_to.exists():
            for batch in append_to._batches():
                self.write(zip(*(column.to_pylist() for column in batch.columns), strict=True))

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows of values, in the order of the columns."""
        width = len(self.columns)
        for row in rows:
            check_width(row, width, self.table.path)
            self.rows.append(row)
            if len(self.rows) % SAMPLE == 1:
                self.weight += SAMPLE * sum(len(value) if hasattr(value, "__len__") else 1 for value in row)
            if len(self.rows) >= GROUP_ROWS or self.weight >= GROUP_WEIGHT:
                self._flush()

    def write_frame(self, frame: Any) -> None:
        """Write a data frame by position."""
        columns = [frame.iloc[:, place].tolist() for place in range(len(self.columns))]
        if not self.rows and len(frame) >= GROUP_ROWS // 10:
            self._write_group(columns)
        else:
            self.write(zip(*columns, strict=True))

    def write_texts(self, rows: Iterable[Sequence[str]]) -> None:
        """Write rows of texts."""
        self.write(rows)

    def _flush(self) -> None:
        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.columns)
        self.rows, self.weight = [], 0
        self._write_group(columns)

    def _write_group(self, columns: Sequence[Sequence[Any]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self.writer is None:
            self.arrow = arrow_schema(self.columns, columns)
            self.writer = pq.ParquetWriter(self.part, self.arrow, compression="zstd")
        arrays = []
        for column, kind, field in zip(columns, self.types, self.arrow, strict=True):
            try:
                cast = natives(column, kind, field.type)
                if pa.types.is_string(field.type):
                    cast = [text if _is_plain(text) else self._escaped(text) for text in cast]
                arrays.append(pa.array(cast, type=field.type))
            except (ValueError, TypeError, OverflowError) as err:
                what = f"column {field.name!r} is {kind} and cannot hold what was written"
                raise DataError(f"{self.table.path}: {what}: {err}.") from err
        self.writer.write_batch(pa.record_batch(arrays, schema=self.arrow))

    def _escaped(self, text: str) -> str:
        safe = cells.escape(text)
        self.escaped = self.escaped or safe != text
        return safe

    def close(self) -> None:
        """Write what is left and put the data in place; a second call does nothing."""
        if self.closed:
            return
        if self.rows or self.writer is None:
            self._flush()
        if self.escaped:
            self.writer.add_key_value_metadata({"minihost.escaped": "yes"})
        self.writer.close()
        self.closed = True
        self.part.replace(self.table.path)
        schema.schema_file(self.table.path).unlink(missing_ok=True)

    def abandon(self) -> None:
        """Drop what was written, unless it is in place already."""
        if not self.closed:
            self.closed = True
            if self.writer is not None:
                self.writer.close()
            self.part.unlink(missing_ok=True)


def _is_plain(text: str | None) -> bool:
    """Whether a text certainly needs no escaping."""
    return text is None or (text.isascii() and "\\" not in text)


def _core(column: dict[str, Any]) -> tuple[str, str, str]:
    return column["name"], column["type"], json.dumps(column.get("arrayContent"), sort_keys=True)
