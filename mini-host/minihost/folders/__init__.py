"""Folders as paths and streams: on the local disk, as they will be after a run, or in a bucket that a URL names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minihost.folders.local import LocalFolder
from minihost.folders.store import FolderStore
from minihost.folders.urls import is_remote
from minihost.job import Reference

__all__ = ["asked", "is_remote", "open_folder"]


def open_folder(reference: Reference) -> FolderStore:
    """Return what reads and writes the folder of a reference; raises `DataError` for a URL that nothing opens."""
    if not is_remote(reference.path):
        return LocalFolder(Path(reference.path))
    if copy := reference.options.get("copied_to"):
        return LocalFolder(Path(copy))
    folder: FolderStore | None = asked("minihost_open_folder", reference)
    if folder is not None:
        return folder
    from minihost.folders.remote import RemoteFolder
    from minihost.folders.urls import parsed

    url = parsed(reference.path, f"Folder {reference.name}")
    opened = RemoteFolder(url, reference.options.get("options") or {})
    opened.know(reference.options.get("known", ()))
    return opened


def asked(hook: str, reference: Reference) -> Any:
    """Return what a host plugin opens a reference with, or None; in a code environment there may be no plugins."""
    try:
        from minihost.host import hooks
    except ImportError:
        return None
    return getattr(hooks(), hook)(reference=reference)
