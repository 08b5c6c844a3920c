"""A folder whose listing is kept, for jobs that need it several times."""

from __future__ import annotations

from typing import BinaryIO

from vision_recipes.stores import Store


class ListedOnce:
    """A folder of pictures that does not change during a job: listing it, which takes long in a bucket, is done once.

    It holds the paths from then on.
    """

    def __init__(self, store: Store) -> None:
        self.name = store.name
        self._store = store
        self._paths: list[str] | None = None

    def paths(self) -> list[str]:
        """Return the path of every file, as it was when they were first asked for."""
        if self._paths is None:
            self._paths = self._store.paths()
        return list(self._paths)

    def open(self, path: str) -> BinaryIO:
        """Return a stream over a file; raises OSError."""
        return self._store.open(path)

    def size(self, path: str) -> int | None:
        """Return the size in bytes, or None when there is no such file."""
        return self._store.size(path)

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        """Write one file whole; the next listing shows it."""
        self._store.write(path, content)
        self._paths = None

    def delete(self, path: str) -> None:
        """Delete one file; the next listing lacks it."""
        self._store.delete(path)
        self._paths = None


def listed_once(store: Store | None) -> ListedOnce | None:
    """Return a folder that is listed at most once, None when there is none."""
    return None if store is None else ListedOnce(store)
