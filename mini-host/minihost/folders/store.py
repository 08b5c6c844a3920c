"""What a folder offers, wherever it lies: host plugins that open folders elsewhere implement this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol


@dataclass(frozen=True)
class Facts:
    """What a storage says of a file or folder: size in bytes, seconds since 1970 of the last change, folder or not."""

    size: int = 0
    modified: float = 0.0
    folder: bool = False


class FolderStore(Protocol):
    """Files under one root; paths have a leading slash, and none leads out."""

    def paths(self) -> list[str]:
        """Return the path of every file, recursive and sorted."""

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading; raises OSError."""

    def facts(self, path: str) -> Facts | None:
        """Return what the storage says of a file or folder, None when it is missing."""

    def children(self, path: str) -> list[str]:
        """Return the names in one folder, sorted."""

    def write(self, path: str, content: Any) -> None:
        """Write one file whole from a binary stream; raises OSError."""

    def writing(self, path: str) -> Any:
        """Open a file for writing, for `with`; it appears when the stream is closed. Raises OSError."""

    def delete(self, path: str) -> None:
        """Delete a file, or a folder with all it holds; nothing happens when it is missing."""

    def clear(self) -> None:
        """Delete everything."""
