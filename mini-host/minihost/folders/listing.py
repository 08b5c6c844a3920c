"""The listing of a folder in a file: made once by the host, and read by every process that shares the folder."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minihost.folders import is_remote, open_folder
from minihost.folders.local import LocalFolder
from minihost.job import Reference

OPTION, KNOWN = "listing", "known"
"""The options of a reference that name the file, and hold what its storage said of some files when it listed them."""

Row = Sequence[Any]
"""A path, and what changes when the file does: for objects in a bucket size, time and tag."""


def listed(reference: Reference) -> list[Row]:
    """Return the files of a folder, sorted; it is listed once."""
    folder: Any = open_folder(reference)
    if isinstance(folder, LocalFolder):
        return list(folder.stamps())
    if is_bucket(reference):
        return list(folder.sums())
    return [[path] for path in folder.paths()]


def is_bucket(reference: Reference) -> bool:
    """Whether the host itself asks a storage for the files of a folder: then it is spared what is known already."""
    if not is_remote(reference.path) or reference.options.get("copied_to"):
        return False
    from minihost.folders.remote import RemoteFolder

    return isinstance(open_folder(reference), RemoteFolder)


def write(file: Path, paths: Sequence[str]) -> None:
    """Write paths, whatever characters are in them. Raises OSError."""
    file.write_text(json.dumps(paths), encoding="ascii")


def of(reference: Reference) -> list[str] | None:
    """Return the paths of a folder by the file that its reference names, None where it names none."""
    file = reference.options.get(OPTION)
    return None if file is None else list(_read(file))


@functools.lru_cache(1)
def _read(file: str) -> list[str]:
    paths: list[str] = json.loads(Path(file).read_text(encoding="ascii"))
    return paths
