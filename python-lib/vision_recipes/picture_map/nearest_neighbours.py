"""The nearest neighbours of each picture by cosine similarity: exact, by matrix products of some rows with all."""

from __future__ import annotations

import numpy as np

from vision_recipes.picture_map.unit_vectors import UnitVectors

_EXACT_OPERATIONS, _EXACT_NUMBERS = 2e12, 64_000_000
_BLOCK_NUMBERS = 24_000_000
REDUCED = 50
"""Principal components that stand for longer vectors where there are too many for exact neighbours."""


def nearest_neighbours(vectors: UnitVectors, reduced: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows (n, count) and the distances, float64 (n, count), of each row's nearest, the nearest first.

    The distance is the Euclidean one of vectors of length 1. Where their number and width are too large, it is that of
    `reduced`, their first principal components.
    """
    exact = vectors.count**2 * vectors.width <= _EXACT_OPERATIONS and vectors.count * vectors.width <= _EXACT_NUMBERS
    points = vectors.take(slice(None)) if exact else reduced
    squares = np.einsum("ij,ij->i", points, points)
    rows = np.empty((len(points), count), np.int64)
    distances = np.empty((len(points), count))
    step = max(1, _BLOCK_NUMBERS // len(points))
    for start in range(0, len(points), step):
        place = np.arange(start, min(start + step, len(points)))
        gaps = squares[place, None] - 2 * (points[place] @ points.T) + squares
        gaps[np.arange(len(place)), place] = np.inf
        near = np.argpartition(gaps, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(gaps, near, 1)
        order = np.lexsort((near, found), axis=1)
        rows[place] = np.take_along_axis(near, order, 1)
        distances[place] = np.sqrt(np.maximum(np.take_along_axis(found, order, 1), 0))
    return rows, distances
