"""Datasets that are not on the local disk: a host plugin opens them; components work on a local copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minihost.datasets.csv_table import CsvTable
from minihost.errors import DataError
from minihost.folders import open_folder
from minihost.job import Reference


def opened(reference: Reference) -> Any:
    """Return what opens the folder or dataset of a URL."""
    return open_dataset(reference) if reference.type == "DATASET" else open_folder(reference)


def open_dataset(reference: Reference) -> Any:
    """Return what a host plugin opens a URL with (docs/hooks.md); raises `DataError` when no plugin opens it."""
    from minihost.host import hooks

    found = hooks().minihost_open_dataset(reference=reference)
    if found is None:
        raise DataError(f"Dataset {reference.name}: nothing that is installed opens {reference.path!r}.")
    return found


def fetched(reference: Reference, folder: Path) -> CsvTable:
    """Return the local copy of a remote dataset, made in a folder at the first call; without data there is none."""
    copy = CsvTable(folder / f"{reference.name}.csv")
    if not copy.exists():
        remote = open_dataset(reference)
        columns = remote.columns()
        if columns is None:
            return copy
        folder.mkdir(parents=True, exist_ok=True)
        copy.set_columns(columns)
        with copy.writer(columns) as writer:
            writer.write_texts(remote.text_rows())
    return copy


def put(remote: Any, made: Path) -> None:
    """Write what a run made, a local CSV file, to where the remote dataset lies; it replaces what was there."""
    table = CsvTable(made)
    remote.write(table.columns(), table.text_rows())
