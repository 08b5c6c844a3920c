"""Feature vectors of length 1, read in blocks, and their principal components: memory for a few blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_BLOCK_NUMBERS = 8_000_000
_MOST_COLUMNS = 4096
"""Of longer vectors, and more of them than this, the components are those of so many evenly chosen rows."""


class UnitVectors:
    """The rows of an array (n, d), usually on disk, each divided by its length; a row of zeros stays as it is."""

    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = vectors
        self.count, self.width = vectors.shape
        self._rows = max(1, _BLOCK_NUMBERS // max(1, self.width))

    def take(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return some rows, float32 (rows, d)."""
        taken = np.asarray(self._vectors[rows], np.float32)
        largest = np.abs(taken).max(1, keepdims=True, initial=0)
        scaled = taken / np.where(largest > 0, largest, 1)  # so that no square overflows
        lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
        return np.asarray(scaled / np.where(lengths > 0, lengths, 1), np.float32)

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield all rows in order, some at a time, each block with its place."""
        for start in range(0, self.count, self._rows):
            place = slice(start, min(start + self._rows, self.count))
            yield place, self.take(place)

    def mean(self) -> np.ndarray:
        """Return the mean of the rows, float64 (d,)."""
        total = np.zeros(self.width)
        for _, block in self.blocks():
            total += block.sum(0, dtype=np.float64)
        return total / max(1, self.count)

    def principal_components(self, number: int) -> np.ndarray:
        """Return the rows' first principal components, float32 (n, at most `number`), each with a fixed sign."""
        mean = self.mean()
        axes = self._axes(mean, min(number, self.width, max(1, self.count - 1)))
        reduced = np.empty((self.count, axes.shape[1]), np.float32)
        for place, block in self.blocks():
            reduced[place] = (block - mean) @ axes
        return reduced

    def _axes(self, mean: np.ndarray, number: int) -> np.ndarray:
        """Return the directions of most variance, float64 (d, number): eigenvectors of the smaller product matrix."""
        if self.width <= _MOST_COLUMNS and self.width <= self.count:
            product = np.zeros((self.width, self.width))
            for _, block in self.blocks():
                centred = block - mean
                product += centred.T @ centred
            axes = _largest(product, number)
        else:
            rows = np.unique(np.linspace(0, self.count - 1, min(self.count, _MOST_COLUMNS)).astype(np.int64))
            sample = self.take(rows) - mean
            axes = sample.T @ _largest(sample @ sample.T, min(number, len(rows)))
            axes /= np.maximum(np.linalg.norm(axes, axis=0), 1e-12)
        return np.asarray(axes * np.where(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])] < 0, -1.0, 1.0))


def _largest(product: np.ndarray, number: int) -> np.ndarray:
    """Return the eigenvectors (d, number) of the largest eigenvalues of a symmetric matrix, the largest first."""
    return np.asarray(np.linalg.eigh(product)[1][:, ::-1][:, :number])
