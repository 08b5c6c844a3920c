"""Datasets named by a URL: one object in a bucket, or what a host plugin opens; components work on a local copy."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from minihost.datasets import TABLES, Table, format_of, schema, table
from minihost.datasets.csv_table import CsvTable
from minihost.errors import DataError
from minihost.folders import asked, open_folder
from minihost.folders.urls import Url, parsed
from minihost.job import Reference


class RemoteFile:
    """A dataset that is one object, with its schema file beside it."""

    def __init__(self, reference: Reference) -> None:
        from minihost.folders.remote import RemoteFolder

        what = f"Dataset {reference.name}"
        self.url: Url = parsed(reference.path, what)
        self.options = reference.options
        if reference.options.get("partitioning"):
            raise DataError(f"{what}: partitions are kept in local folders, not at {self.url}.")
        if not self.url.key:
            raise DataError(f"{what}: {self.url} is a bucket; a dataset is an object, such as {self.url}/people.csv.")
        if (name := format_of(Path(self.url.name), self.options)) not in TABLES:
            raise DataError(f"{what}: {self.url}: {name!r} is not a format of datasets. Known: {', '.join(TABLES)}.")
        self.folder = RemoteFolder(self.url.parent, reference.options.get("options") or {})

    def fetched(self, place: Path) -> Table:
        """Return a local copy in a folder, made at the first call; a dataset that does not exist has none."""
        copy = place / self.url.name
        if not copy.exists() and self.folder.facts(self.url.name) is not None:
            place.mkdir(parents=True, exist_ok=True)
            if self.folder.facts(self._schema) is not None:
                self.folder.download(self._schema, schema.schema_file(copy))
            self.folder.download(self.url.name, copy)
        return table(copy, self.options)

    def upload(self, made: Path) -> Any:
        """Send what a run made, a local file; it takes the place of the object later (`minihost.folders.uploads`)."""
        files, old = {self.url.name: made}, [self._schema]
        if schema.schema_file(made).exists():
            files, old = {self._schema: schema.schema_file(made), **files}, []
        return self.folder.upload(files, old)

    def check_input(self) -> None:
        """Raise `StorageError` when there is no such object."""
        facts = self.folder.facts(self.url.name)
        if facts is None or facts.folder:
            what = "is a folder" if facts is not None else "does not exist"
            where = f"Bucket {self.url.bucket!r}, key {self.url.key!r} ({self.folder.storage.where})"
            raise DataError(f"{where}: the dataset {what}. Check the URL {self.url}.")

    def check_output(self) -> None:
        """Raise `StorageError` when the object may not be written."""
        from minihost.folders.uploads import probe

        facts = self.folder.facts(self.url.name)
        if facts is not None and facts.folder:
            raise DataError(f"{self.url} is a folder, and this output is a dataset.")
        probe(self.folder.storage, self.url)

    def is_foreign(self) -> bool:
        """Whether the object exists and the host did not write it: then it has no schema file."""
        return self.folder.facts(self.url.name) is not None and self.folder.facts(self._schema) is None

    def sums(self) -> list[Any]:
        """Return what changes when the object does."""
        facts = self.folder.facts(self.url.name)
        return [] if facts is None else [self.url.name, *self.folder.sum_of(facts)]

    @property
    def _schema(self) -> str:
        return schema.schema_file(Path(self.url.name)).name


def opened(reference: Reference) -> Any:
    """Return what opens the folder or dataset of a URL."""
    return open_dataset(reference) if reference.type == "DATASET" else open_folder(reference)


def open_dataset(reference: Reference) -> Any:
    """Return what opens a URL, a host plugin (docs/hooks.md) or a `RemoteFile`; raises `DataError` where none does."""
    return asked("minihost_open_dataset", reference) or RemoteFile(reference)


def fetched(reference: Reference, folder: Path) -> Table:
    """Return the local copy of a remote dataset, made in a folder at the first call; without data there is none."""
    if copy := reference.options.get("copied_to"):
        return table(Path(copy), reference.options)
    remote = open_dataset(reference)
    if isinstance(remote, RemoteFile):
        return remote.fetched(folder / reference.name)
    copy = CsvTable(folder / f"{reference.name}.csv")
    if not copy.exists():
        columns = remote.columns()
        if columns is None:
            return copy
        folder.mkdir(parents=True, exist_ok=True)
        copy.set_columns(columns)
        with copy.writer(columns) as writer:
            writer.write_texts(remote.text_rows())
    return copy


def forget(reference: Reference, folder: Path) -> None:
    """Remove the local copy of a remote dataset, so that the next reading fetches what is there now."""
    shutil.rmtree(folder / reference.name, ignore_errors=True)
    copy = folder / f"{reference.name}.csv"
    for path in (copy, schema.schema_file(copy)):
        path.unlink(missing_ok=True)


def put(remote: Any, made: Path) -> None:
    """Write what a run made, a local file, to where a host plugin keeps the dataset; it replaces what was there."""
    found = table(made)
    remote.write(found.columns(), found.text_rows())
