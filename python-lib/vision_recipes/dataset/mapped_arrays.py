"""Arrays too large for memory: rows written one after the other into a file, read back through a map of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np


class Vectors:
    """Rows of one shape and dtype, appended to a file of its own; `array` maps the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = open(path, "wb")  # noqa: SIM115 - closed by array()
        self._shape: tuple[int, ...] = ()
        self._dtype = np.dtype(np.float32)
        self._count = 0

    def append(self, row: np.ndarray) -> None:
        """Add a row; all have the shape and dtype of the first."""
        if not self._count:
            self._shape, self._dtype = row.shape, row.dtype
        if row.shape != self._shape or row.dtype != self._dtype:
            raise ValueError(f"a row is {row.dtype} {row.shape}, those before are {self._dtype} {self._shape}")
        self._stream.write(np.ascontiguousarray(row).tobytes())
        self._count += 1

    def array(self) -> np.ndarray:
        """Return all rows, read-only; no more can be added."""
        self._stream.close()
        if not self._count:
            return np.empty((0, 0), np.float32)
        return np.memmap(self._path, self._dtype, "r", shape=(self._count, *self._shape))
