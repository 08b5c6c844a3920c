"""A dataset kept in partitions: a directory with one table for each, all of one schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from minihost.datasets import schema
from minihost.datasets.csv_table import CsvTable, CsvWriter
from minihost.datasets.parquet_table import ParquetTable, ParquetWriter
from minihost.datasets.text_stream import TextOf

SCHEMA = "all"


class PartitionedTable:
    """The tables `2024-01.csv`, `2024-02.csv` … of one directory; `wanted` says which to read, none means all."""

    def __init__(self, root: Path, options: dict[str, Any], wanted: list[str], tables: dict[str, Any]) -> None:
        self.path, self.options, self.wanted = root, options, wanted
        self.kind = tables[str(options.get("format", "csv"))]

    def partition(self, identifier: str) -> CsvTable | ParquetTable:
        """The table of one partition; `|` between dimensions and the like are quoted in its file name."""
        found: CsvTable | ParquetTable = self.kind(
            self.path / (quote(identifier, safe=" ,+=@") + self.kind.suffix), self.options
        )
        return found

    def partitions(self) -> list[str]:
        """The identifiers of the partitions that have data, sorted."""
        return sorted(unquote(path.stem) for path in self.path.glob(f"*{self.kind.suffix}"))

    def exists(self) -> bool:
        """Whether any of the wanted partitions has data."""
        return bool(self._tables())

    def columns(self) -> schema.Columns:
        """Return the columns, the same for all partitions."""
        facts = schema.read(self.path / SCHEMA)
        if facts is not None:
            return list(facts["columns"])
        return next((part.columns() for part in self._tables()), [])

    def set_columns(self, columns: Iterable[dict[str, Any]]) -> None:
        """Write the schema of all partitions."""
        self.path.mkdir(parents=True, exist_ok=True)
        schema.write(self.path / SCHEMA, schema.checked(columns, str(self.path)))

    def text_rows(self) -> Iterator[list[str]]:
        """Yield each row of each wanted partition as text, streaming."""
        names = [column["name"] for column in self.columns()]
        for part in self._tables():
            own = [column["name"] for column in part.columns()]
            positions = [own.index(name) if name in own else None for name in names]
            for row in part.text_rows():
                yield [row[position] if position is not None else "" for position in positions]

    def pandas_source(self) -> dict[str, Any]:
        """Return arguments with which pandas.read_csv reads the wanted partitions."""
        return {"filepath_or_buffer": TextOf(self.text_rows(), str(self.path)), "header": None}

    escaped = False
    """Rows are handed out unescaped already."""

    def writer(
        self, columns: schema.Columns, *, append_to: PartitionedTable | None = None
    ) -> CsvWriter | ParquetWriter:
        """Open a writer for the one wanted partition."""
        self.set_columns(columns)
        (identifier,) = self.wanted
        base: Any = append_to.partition(identifier) if append_to is not None else None
        return self.partition(identifier).writer(columns, append_to=base)

    def _tables(self) -> list[CsvTable | ParquetTable]:
        found = [self.partition(identifier) for identifier in self.wanted or self.partitions()]
        return [part for part in found if part.exists()]
