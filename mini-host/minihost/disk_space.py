"""What to say when a disk is full or there is no temporary folder: which place it is, and what moves it elsewhere."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

LEAST_FREE = 1 << 20
"""Bytes; a disk with less counts as full."""


def message(err: BaseException, places: Mapping[str, str | Path]) -> str:
    """Return what the user can do about an error that comes of a full disk, or of the lack of a temporary folder; empty
    for other errors. `places` are what a user may move -> where it is now."""
    for cause in _causes(err):
        if not isinstance(cause, OSError):
            continue
        if str(cause.strerror).startswith("No usable temporary directory"):
            return "No temporary folder can be written to. Set TMPDIR to a folder that can."
        if cause.errno in (errno.ENOSPC, errno.EDQUOT):
            full = [f"{place} ({name})" for name, place in places.items() if is_full(place)]
            where = " and ".join(full) or cause.filename or "where the file was written"
            return f"No space is left on the disk: {where}. Free some, or choose a place with more."
    return ""


def temporary() -> dict[str, str]:
    """Return the temporary folder as a place for `message`; nothing where there is none."""
    try:
        return {"set TMPDIR to move it": tempfile.gettempdir()}
    except FileNotFoundError:
        return {}


def is_full(place: str | Path) -> bool:
    """Whether the disk of a file or folder is full; it need not exist yet."""
    path = Path(os.path.abspath(place))
    try:
        return shutil.disk_usage(next(one for one in (path, *path.parents) if one.exists())).free < LEAST_FREE
    except OSError:
        return False


def _causes(err: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while err is not None and id(err) not in seen:
        seen.add(id(err))
        yield err
        err = err.__cause__ or err.__context__
