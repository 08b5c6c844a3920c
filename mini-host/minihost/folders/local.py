"""A folder on the local disk. Links that leave it, pipes and devices are refused; files are replaced whole."""

from __future__ import annotations

import io
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from minihost.folders.paths import OWN, LinkOutside, NotAFile, canonical, parts
from minihost.folders.store import Facts

log = logging.getLogger(__name__)
CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalFolder:
    """The files under one directory, as paths that begin with a slash."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def paths(self) -> list[str]:
        """Return the path of every file, recursive and sorted; folders behind links are not entered, folders that
        cannot be read are named in the log."""
        found: list[str] = []
        if not self.root.exists():
            return found
        for folder, subfolders, files in os.walk(self.root, followlinks=False, onerror=_unreadable):
            subfolders[:] = [name for name in subfolders if not name.startswith(OWN)]
            inside = os.path.relpath(folder, self.root)
            prefix = "/" if inside == "." else f"/{inside}/"
            found += [prefix + name for name in files if not name.startswith(OWN)]
        return sorted(found)

    def stamps(self) -> list[tuple[str, int, int]]:
        """Return every file as (path, size, time of its last change in ns), as `paths` lists them, in one walk: many
        times faster than asking for each. Links count as what they lead to, where there is anything. Size and time
        are -1 of a file that is gone meanwhile."""
        found: list[tuple[str, int, int]] = []
        folders = [("/", str(self.root))] if self.root.exists() else []
        while folders:
            prefix, place = folders.pop()
            try:
                entries = list(os.scandir(place))
            except OSError as err:
                _unreadable(err)
                continue
            for entry in entries:
                if entry.name.startswith(OWN):
                    continue
                try:
                    if entry.is_dir():
                        folders += [] if entry.is_symlink() else [(f"{prefix}{entry.name}/", entry.path)]
                        continue
                    facts = _facts_of(entry)
                    found.append((prefix + entry.name, facts.st_size, facts.st_mtime_ns))
                except OSError:
                    found.append((prefix + entry.name, -1, -1))
        return sorted(found)

    def open(self, path: str) -> BinaryIO:
        """Open a regular file inside the folder for reading; never waits on a pipe. Raises OSError.

        A small file is read at once and closed.
        """
        try:
            descriptor = os.open(self._without_links(path), _READ)
        except OSError:
            descriptor = os.open(self._real(path), _READ)
        facts, is_handed_over = os.fstat(descriptor), False
        try:
            if not stat.S_ISREG(facts.st_mode):
                raise NotAFile(f"{path!r} is not a regular file (a folder, a pipe or a device).")
            if facts.st_size < CHUNK:
                content = os.read(descriptor, facts.st_size + 1)
                if len(content) == facts.st_size:  # nobody is writing it
                    return io.BytesIO(content)
                os.lseek(descriptor, 0, os.SEEK_SET)
            is_handed_over = True
            return open(descriptor, "rb")
        finally:
            if not is_handed_over:
                os.close(descriptor)

    def facts(self, path: str) -> Facts | None:
        """Return what the disk says of a file or folder, None when it is missing or leads out."""
        try:
            found = os.stat(self._real(path))
        except (OSError, ValueError):
            return None
        folder = stat.S_ISDIR(found.st_mode)
        return Facts(0 if folder else found.st_size, found.st_mtime, folder)

    def has_files(self) -> bool:
        """Whether there is any file, without listing them all."""
        for _folder, subfolders, files in os.walk(self.root, followlinks=False):
            subfolders[:] = [name for name in subfolders if not name.startswith(OWN)]
            if any(not name.startswith(OWN) for name in files):
                return True
        return False

    def children(self, path: str) -> list[str]:
        """Return the names in one folder, sorted."""
        try:
            return sorted(name for name in os.listdir(self._real(path)) if not name.startswith(OWN))
        except OSError:
            return []

    def write(self, path: str, content: Any) -> None:
        """Write one file whole from a binary stream: beside it first, then in its place. Raises OSError."""
        with self.writing(path) as stream:
            shutil.copyfileobj(content, stream, CHUNK)

    def writing(self, path: str) -> Replacing:
        """Open a file for writing; it appears, whole, when the stream is closed."""
        target = self.place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        return Replacing(target)

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all it holds; nothing happens when it is missing."""
        target = self.place(path)
        if target == self.root:
            self.clear()
        elif target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all that the folder holds, and keep the folder."""
        if self.root.is_dir():
            for name in self.children("/"):
                self.delete(name)

    def place(self, path: str) -> Path:
        """Return where a path lies on disk; raises `LinkOutside` when a folder on the way is a link that leads out."""
        names = parts(path)
        place = self.root.joinpath(*names)
        if names:
            self._contained(os.path.realpath(place.parent), path)
        return place

    def _without_links(self, path: str) -> str:
        """Return where a path lies on disk; raises OSError where a folder on the way is a link or missing.

        Nearly all paths have no links, and this asks the system once for each folder below the root, where `realpath`
        asks for every folder from `/` on.
        """
        *folders, name = parts(path) or [""]
        place = str(self.root)
        for folder in folders:
            place = f"{place}/{folder}"
            if stat.S_ISLNK(os.lstat(place).st_mode):
                raise OSError(f"{place!r} is a link")
        return f"{place}/{name}"

    def _real(self, path: str) -> str:
        real = os.path.realpath(self.root.joinpath(*parts(path)))
        self._contained(real, path)
        return real

    def _contained(self, real: str, path: str) -> None:
        root = os.path.realpath(self.root)
        if real != root and not real.startswith(root.rstrip("/") + "/"):
            raise LinkOutside(f"{canonical(path)!r} is a link to a place outside the folder.")


class Replacing(io.BufferedWriter):
    """A file being written beside the one it replaces when it is closed; dropped when its `with` block fails."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.part = target.with_name(f"{OWN}part-{os.getpid()}-{os.urandom(4).hex()}")
        super().__init__(io.FileIO(self.part, "w"))

    def close(self) -> None:
        """Put the file in its place."""
        if self.closed:
            return
        super().close()
        if self.target.is_dir() and not self.target.is_symlink():
            self.part.unlink(missing_ok=True)
            raise IsADirectoryError(f"{str(self.target)!r} is a folder; a file cannot take its place.")
        self.part.replace(self.target)

    def abandon(self) -> None:
        """Drop what was written."""
        if not self.closed:
            self.part.unlink(missing_ok=True)
            super().close()

    def __exit__(self, kind: type | None, *_: object) -> None:
        self.close() if kind is None else self.abandon()

    def __del__(self) -> None:
        self.abandon()  # a stream that nobody closed leaves nothing behind


def sweep(root: Path) -> Iterator[Path]:
    """Delete the half-written files that a killed run left under a folder, and yield each."""
    for folder, _subfolders, files in os.walk(root, followlinks=False):
        for name in files:
            if name.startswith(f"{OWN}part-"):
                path = Path(folder, name)
                path.unlink(missing_ok=True)
                yield path


def _unreadable(err: OSError) -> None:
    log.warning("The folder %r cannot be read: %s", err.filename, err.strerror)


def _facts_of(entry: os.DirEntry[str]) -> os.stat_result:
    """What a link leads to counts; one that leads nowhere counts itself."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)
