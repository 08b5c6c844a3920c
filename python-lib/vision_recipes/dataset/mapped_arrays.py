"""Arrays too large for memory: rows written one after the other into a file, and read back through a map of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.local_folders import reserve


def new_array(path: Path, shape: tuple[int, ...], purpose: str) -> np.ndarray:
    """Return a float32 array of zeros in a file of its own, to be filled; raises OutputError when it does not fit."""
    size = math.prod(shape) * np.dtype(np.float32).itemsize
    reserve(path, size, purpose)
    return np.memmap(path, np.float32, "r+", shape=shape) if size else np.empty(shape, np.float32)


class RowWriter:
    """Appends rows of one shape and dtype to a file of its own; `array` maps the file."""

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


class MappedRows:
    """Some rows of an array, usually one on disk; they are read when they are indexed."""

    def __init__(self, array: np.ndarray, rows: np.ndarray | None = None) -> None:
        self._array = array
        self._rows = np.arange(len(array)) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return np.asarray(self._array[self._rows[rows]])

    def take(self, rows: np.ndarray) -> MappedRows:
        """Return some of these rows, without reading them."""
        return MappedRows(self._array, self._rows[rows])
