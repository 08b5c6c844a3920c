"""Folders as paths and streams: on the local disk, as they will be after a run, or where a host plugin opens them."""

from __future__ import annotations

from pathlib import Path

from minihost.errors import DataError
from minihost.folders.local import LocalFolder
from minihost.folders.store import FolderStore
from minihost.job import Reference


def is_remote(path: str) -> bool:
    """Whether a place is a URL, which a host plugin has to open."""
    return "://" in path


def open_folder(reference: Reference) -> FolderStore:
    """Return what reads and writes the folder of a reference; raises `DataError` when no plugin opens it."""
    if not is_remote(reference.path):
        return LocalFolder(Path(reference.path))
    from minihost.host import hooks

    folder: FolderStore | None = hooks().minihost_open_folder(reference=reference)
    if folder is None:
        raise DataError(f"Folder {reference.name}: nothing that is installed opens {reference.path!r}.")
    return folder
