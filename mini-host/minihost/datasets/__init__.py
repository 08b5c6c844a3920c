"""Datasets as files: CSV with a schema file beside it, Parquet, Excel for reading, directories for partitions; and
tables of databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minihost.datasets.csv_table import CsvTable, TsvTable
from minihost.datasets.excel_table import ExcelTable
from minihost.datasets.parquet_table import ParquetTable
from minihost.datasets.partitioned import PartitionedTable
from minihost.datasets.sql import is_sql, located
from minihost.errors import DataError

TABLES: dict[str, Any] = {"csv": CsvTable, "parquet": ParquetTable, "tsv": TsvTable, "xlsx": ExcelTable}
"""Format -> what reads and writes it; a file's ending says its format."""

WRITTEN = ("csv", "parquet", "tsv")
"""The formats that are written, too."""

SPREADSHEETS = (".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
"""Endings of spreadsheets that are not read."""

Table = CsvTable | ParquetTable | ExcelTable | PartitionedTable


def format_of(path: Path, options: dict[str, Any]) -> str:
    """Return the name of a dataset's format: as declared, else the ending of its file."""
    return str(options.get("format") or path.suffix.lstrip(".")).lower()


def table(path: Path | str, options: dict[str, Any] | None = None, partitions: list[str] | None = None) -> Any:
    """Return the table kept at a path or, given as text, in a database, whether it exists or not.

    Raises `DataError` for an ending that is no format.
    """
    if is_sql(str(path)):
        from minihost.datasets.sql.table import SqlTable

        return SqlTable(located(str(path)))
    path = Path(path)
    options = options or {}
    if options.get("partitioning"):
        return PartitionedTable(path, options, partitions or [], TABLES)
    name = format_of(path, options)
    if name not in TABLES:
        hint = " Save it as .xlsx or as CSV UTF-8." if f".{name}" in SPREADSHEETS else ""
        raise DataError(f"Dataset {path}: {name!r} is not a format of datasets. Known: {', '.join(TABLES)}.{hint}")
    return TABLES[name](path, options)
