"""A file that one process at a time changes, and that is at any moment the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from minihost.disk_space import message
from minihost.errors import HostError

PATIENCE = 20.0
"""Seconds to wait for another process's edit."""


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a lock, which the system frees when this process dies; raises `HostError` where it cannot be had."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as err:
        raise HostError(f"{lock} cannot be written, so nothing was changed: {_why(err, lock)}.") from err
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise HostError(f"Another edit of the flow goes on ({lock} is locked). Try again.") from None
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """Give a file other content in one step, and keep its mode; a link stays one, and what it points to is changed.

    Raises `HostError`, with the file as it was, where that cannot be done.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.stat().st_mode & 0o222:
        raise HostError(f"{path} is read-only, so it was not changed. Make it writable first.")
    for left in target.parent.glob(f".{target.name}.*.part"):
        left.unlink(missing_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            os.chmod(part, target.stat().st_mode & 0o7777)
        os.replace(part, target)
        _sync(target.parent)
    except OSError as err:
        part.unlink(missing_ok=True)
        raise HostError(f"{path} cannot be written, so it is as it was: {_why(err, path)}.") from err


def _sync(folder: Path) -> None:
    """Make sure that the new name is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _why(err: OSError, path: Path) -> str:
    return message(err, {str(path.parent): path.parent}).rstrip(".") or str(err.strerror or err)
