"""Streams of single objects: a large one read in pieces, and one being written to a temporary file until it is sent."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from minihost.errors import DataError
from minihost.folders.paths import OWN, parts
from minihost.folders.storage_errors import StorageError, Truncated
from minihost.folders.store import Facts

BLOCK = 8 << 20
"""Bytes that are read at once; larger objects are read in pieces."""


class Writing(io.RawIOBase):
    """An object being written to a temporary file, and sent when it is closed; dropped when its `with` block fails."""

    def __init__(self, folder: Any, path: str) -> None:
        if not parts(path):
            raise DataError(f"{folder.url} is a folder; an object needs a name.")
        self._folder, self._path = folder, path
        self._file = tempfile.NamedTemporaryFile(prefix=f"{OWN}part-")  # noqa: SIM115 - closed by close and abandon

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Write bytes."""
        return self._file.write(data)

    def close(self) -> None:
        """Put the object in its place."""
        if self.closed:
            return
        super().close()
        with self._file:
            self._file.flush()
            if self._file.tell() > BLOCK:
                self._folder.upload({self._path: Path(self._file.name)}).place()
            else:
                self._folder.put(self._path, Path(self._file.name).read_bytes())

    def abandon(self) -> None:
        """Drop what was written."""
        if not self.closed:
            super().close()
            self._file.close()

    def __exit__(self, kind: type | None, *_: object) -> None:
        self.close() if kind is None else self.abandon()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self.abandon()  # a stream that nobody closed leaves nothing behind


class Pieces(io.RawIOBase):
    """A large object, read piece by piece; raises `StorageError` when it is replaced meanwhile."""

    def __init__(self, folder: Any, path: str, facts: Facts) -> None:
        self._folder, self._path, self._facts = folder, path, facts
        self._piece = memoryview(b"")
        self._next = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        if not self._piece:
            self._piece = memoryview(self._read())
        count = min(len(buffer), len(self._piece))
        buffer[:count], self._piece = self._piece[:count], self._piece[count:]
        return count

    def _read(self) -> bytes:
        folder, end = self._folder, min(self._next + BLOCK, self._facts.size)
        if end == self._next:
            return b""
        for _attempt in range(folder.storage.attempts):
            content: bytes = folder.ask("cat_file", self._path, start=self._next, end=end)
            complete = len(content) == end - self._next
            if (not complete or end == self._facts.size) and folder.look(self._path) != self._facts:
                raise StorageError(f"{folder.at(self._path)} was replaced while it was read. Run again.")
            if complete:
                self._next = end
                return content
        raise folder.storage.failure(Truncated(), folder.at(self._path))
