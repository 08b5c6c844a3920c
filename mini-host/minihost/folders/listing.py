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

OPTION = "listing"
"""The option of a reference that names the file."""


def listed(reference: Reference) -> tuple[list[str], list[Any]]:
    """Return the paths in a folder, sorted, and facts that change when one of its files does; it is listed once."""
    folder: Any = open_folder(reference)
    if isinstance(folder, LocalFolder):
        stamps: list[Any] = folder.stamps()
        return [stamp[0] for stamp in stamps], stamps
    if is_remote(reference.path):
        from minihost.folders.remote import RemoteFolder

        if isinstance(folder, RemoteFolder):
            sums = folder.sums()
            return [found[0] for found in sums], sums
    paths = folder.paths()
    return paths, folder.sums() if hasattr(folder, "sums") else paths


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
