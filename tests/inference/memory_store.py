"""A folder in memory that gives streams only, as remote storages do."""

from __future__ import annotations

import io
from typing import BinaryIO


class MemoryStore:
    """Files in a dict; streams cannot seek, sizes are not told."""

    name = "memory"

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def paths(self) -> list[str]:
        """Return the path of every file, sorted."""
        return sorted(self.files)

    def open(self, path: str) -> BinaryIO:
        """Return a stream that cannot seek."""
        if path not in self.files:
            raise FileNotFoundError(path)
        stream = io.BytesIO(self.files[path])
        stream.seekable = lambda: False  # type: ignore[method-assign]
        return stream

    def size(self, path: str) -> int | None:
        """Return None: this storage does not tell."""
        return None

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Write one file whole."""
        self.files[path] = content if isinstance(content, bytes) else content.read()

    def delete(self, path: str) -> None:
        """Delete one file."""
        self.files.pop(path, None)
