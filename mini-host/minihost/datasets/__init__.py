"""Datasets as files: CSV with a schema file beside it, Parquet, and directories of either for partitions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minihost.datasets.csv_table import CsvTable
from minihost.datasets.parquet_table import ParquetTable
from minihost.datasets.partitioned import PartitionedTable
from minihost.errors import DataError

TABLES: dict[str, Any] = {"csv": CsvTable, "parquet": ParquetTable}
"""Format -> what reads and writes it; a file's ending says its format."""

Table = CsvTable | ParquetTable | PartitionedTable


def table(path: Path, options: dict[str, Any] | None = None, partitions: list[str] | None = None) -> Table:
    """Return the table kept at a path, whether it exists or not; raises `DataError` for an ending that is no format."""
    options = options or {}
    if options.get("partitioning"):
        return PartitionedTable(path, options, partitions or [], TABLES)
    name = str(options.get("format") or path.suffix.lstrip(".")).lower()
    if name not in TABLES:
        raise DataError(f"Dataset {path}: {name!r} is not a format of datasets. Known: {', '.join(TABLES)}.")
    found: Table = TABLES[name](path, options)
    return found
