"""Feature vectors in terms of their principal components: the same distances and products in fewer numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_COMPONENTS = 768
"""How many components are kept at most."""

_MOST_COVARIANCE = 2048
"""Up to this length of the vectors, components come from all rows; beyond it, from a sample of so many."""

_BLOCK = 2048
_SMALL = 1e-3
_TINY = 1e-10


@dataclass(frozen=True)
class VectorBasis:
    """(vectors - `mean` (d,)) @ `components` (d, k), float32: the mean squared length of a row is 1.

    Each feature is divided by the root of its standard deviation first, as for the last layer of a network.
    """

    mean: np.ndarray
    components: np.ndarray

    def apply(self, vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the components, float32 (n, k), of some rows of vectors (…, d), read in blocks."""
        found = np.empty((len(rows), self.components.shape[1]), np.float32)
        for start in range(0, len(rows), _BLOCK):
            block = np.asarray(vectors[rows[start : start + _BLOCK]], np.float32) - self.mean
            found[start : start + _BLOCK] = block @ self.components
        return found


def fit_basis(vectors: np.ndarray, rows: np.ndarray, seed: int) -> VectorBasis:
    """Return the basis of some rows (n,) of vectors (…, d), read in blocks; vectors all alike have one of zeros."""
    length = vectors.shape[1]
    if length > _MOST_COVARIANCE < len(rows):
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:_MOST_COVARIANCE])
    mean, deviation = _moments(vectors, rows)
    average = float(deviation.mean()) or 1.0
    scale = np.sqrt(np.maximum(deviation, _SMALL * average) * average)
    if len(rows) <= length:
        scaled = (np.asarray(vectors[rows], np.float64) - mean) / scale
        values, turned = np.linalg.eigh(scaled @ scaled.T / len(rows))
        values, turned = values[::-1], turned[:, ::-1]
        kept = _kept(values, min(MOST_COMPONENTS, len(rows) - 1))
        components = scaled.T @ turned[:, kept] / np.sqrt(values[kept] * len(rows))
    else:
        values, turned = np.linalg.eigh(_covariance(vectors, rows, mean, scale))
        values, turned = values[::-1], turned[:, ::-1]
        kept = _kept(values, MOST_COMPONENTS)
        components = turned[:, kept]
    if not components.shape[1]:
        return VectorBasis(mean.astype(np.float32), np.zeros((length, 1), np.float32))
    total = float(values[values > 0].sum()) or 1.0
    components *= np.sign(components[np.abs(components).argmax(axis=0), np.arange(components.shape[1])])
    return VectorBasis(mean.astype(np.float32), (components / scale[:, None] / np.sqrt(total)).astype(np.float32))


def _kept(values: np.ndarray, most: int) -> slice:
    """Return the places of components, in falling order, that are more than rounding."""
    return slice(0, min(most, int((values > _TINY * max(values[0], _TINY)).sum())))


def _moments(vectors: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each feature, float64 (d,)."""
    mean, square = np.zeros(vectors.shape[1]), np.zeros(vectors.shape[1])
    for start in range(0, len(rows), _BLOCK):
        mean += np.asarray(vectors[rows[start : start + _BLOCK]], np.float64).sum(axis=0)
    mean /= len(rows)
    for start in range(0, len(rows), _BLOCK):
        square += ((np.asarray(vectors[rows[start : start + _BLOCK]], np.float64) - mean) ** 2).sum(axis=0)
    return mean, np.sqrt(square / len(rows))


def _covariance(vectors: np.ndarray, rows: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the covariance, float64 (d, d), of centred and scaled vectors."""
    found = np.zeros((vectors.shape[1], vectors.shape[1]))
    for start in range(0, len(rows), _BLOCK):
        block = ((np.asarray(vectors[rows[start : start + _BLOCK]], np.float64) - mean) / scale).astype(np.float32)
        found += block.T @ block
    return found / len(rows)
