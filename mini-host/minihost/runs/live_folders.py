"""Folders of what runs, `<time>-…-<six letters>`: alive as long as a process holds the lock in it, however it ends."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from pathlib import Path

from minihost.errors import HostError

LOCK = "lock"
NAME = re.compile(r"\d{8}-\d{6}-(?:[^/\0]*-)?[0-9a-f]{6}")
"""What the names of such folders are like; nothing else is ever looked for."""


def own_folder(project_dir: Path) -> Path:
    """Return the host's folder in a project, `.minihost`; made when asked for, and ignored by git."""
    place = project_dir / ".minihost"
    place.mkdir(parents=True, exist_ok=True)
    ignore = place / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return place


def named(what: str = "") -> str:
    """Return a name for a folder that is begun now."""
    return "-".join(filter(None, [time.strftime("%Y%m%d-%H%M%S"), what, os.urandom(3).hex()]))


def begun(store: Path) -> tuple[Path, int]:
    """Make a folder that is alive, and return it with the descriptor that holds its lock.

    It appears under its name when the lock is held, so that nobody takes it for one that ended. OSError on a full disk.
    """
    name = named()
    part = store / f".{name}"
    part.mkdir(parents=True, mode=0o700)
    descriptor = held(part)
    part.rename(store / name)
    return store / name, descriptor


def held(folder: Path) -> int:
    """Take the lock of a folder and return its descriptor; children that get it hold the lock as well."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def is_alive(folder: Path) -> bool:
    """Whether a process holds the lock of a folder."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def changed_at(folder: Path) -> float:
    """When something last appeared in a folder or left it; 0 where the folder itself has just been deleted."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def newest_first(store: Path) -> list[Path]:
    """Return the folders of a store, the one that began last first."""
    try:
        found = [entry.name for entry in os.scandir(store) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    folders = [store / name for name in found if NAME.fullmatch(name)]
    return sorted(folders, key=lambda folder: (folder.name[:15], _locked_at(folder), folder.name), reverse=True)


def _locked_at(folder: Path) -> int:
    """When the lock of a folder was made: nobody ever writes to it."""
    try:
        return (folder / LOCK).stat().st_mtime_ns
    except OSError:
        return 0


def found(store: Path, name: str) -> Path:
    """Return one folder of a store by its name, which may come from anywhere; raises `HostError` for any other."""
    if NAME.fullmatch(name):
        for folder in newest_first(store):
            if folder.name == name:
                return folder
    raise HostError(f"There is no {name[:120]!r} in {store}; the oldest are deleted as new ones come.")


def keep_newest(store: Path, count: int) -> None:
    """Delete the folders of a store beyond a count, the oldest first, but none that is alive."""
    for folder in newest_first(store)[count:]:
        if not is_alive(folder):
            shutil.rmtree(folder, ignore_errors=True)


def note(path: Path, text: str) -> None:
    """Write a small file whole."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
