"""Features centred and divided by a power of their standard deviation, and weights carried back to raw features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_BLOCK = 1 << 14
_SMALL = 1e-3


@dataclass(frozen=True)
class Scaling:
    """(x - mean) / scale per feature."""

    mean: np.ndarray
    scale: np.ndarray

    def apply(self, features: np.ndarray) -> np.ndarray:
        """Return scaled features, float32."""
        scaled: np.ndarray = (np.asarray(features, np.float32) - self.mean) / self.scale
        return scaled

    def fold(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel and bias that give for raw features what these give for scaled ones."""
        raw = kernel.astype(np.float64) / self.scale[:, None]
        return raw, bias - self.mean.astype(np.float64) @ raw


HALF, FULL = 0.5, 1.0
"""Powers of scaling_of: between the features as they are and all of the same deviation, and the latter."""


def scaling_of(features: np.ndarray, power: float = HALF) -> Scaling:
    """Return the scaling for features (n, d), read in blocks.

    A feature is divided by the `power` of its standard deviation, times what makes that of the average feature 1. With
    FULL all features weigh the same, even those that hardly vary; with HALF they weigh somewhat less.
    """
    count, mean = len(features), np.zeros(features.shape[1])
    square = np.zeros(features.shape[1])
    for start in range(0, count, _BLOCK):
        mean += np.asarray(features[start : start + _BLOCK], np.float64).sum(axis=0)
    mean /= count
    for start in range(0, count, _BLOCK):
        square += ((np.asarray(features[start : start + _BLOCK], np.float64) - mean) ** 2).sum(axis=0)
    deviation = np.sqrt(square / count)
    average = float(deviation.mean()) or 1.0
    scale = np.maximum(deviation, _SMALL * average) ** power * average ** (1 - power)
    return Scaling(mean.astype(np.float32), scale.astype(np.float32))
