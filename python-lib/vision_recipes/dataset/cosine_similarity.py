"""Cosine similarity of pictures: what near-duplicates and nearest neighbours are found by."""

from __future__ import annotations

import numpy as np

from vision_recipes.dataset.standardisation import scaling_of

PROJECTION_ERROR = 0.05
"""How far a cosine of projected features may be from the exact one."""

_MAX_WIDTH, _BLOCK = 256, 2048


class CosineSimilarity:
    """Cosine similarity of features (n, d), centred and scaled by half their standard deviation (HALF).

    More than 256 features are projected at random onto 256, which keeps cosines to within a few hundredths (Johnson and
    Lindenstrauss 1984); `projected` says so.
    """

    def __init__(self, features: np.ndarray, random: np.random.Generator) -> None:
        self._features, self._scaling = features, scaling_of(features)
        self.projected = features.shape[1] > _MAX_WIDTH
        self._projection = (
            random.standard_normal((features.shape[1], _MAX_WIDTH), np.float32) if self.projected else None
        )

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Return vectors of length 1, float32 (rows, at most 256), whose products are the (projected) similarities."""
        blocks = [self._features[rows[start : start + _BLOCK]] for start in range(0, len(rows), _BLOCK)]
        scaled = (self._scaling.apply(block) for block in blocks)
        return np.concatenate([_unit(part if self._projection is None else part @ self._projection) for part in scaled])

    def exact(self, one: int, other: int) -> float:
        """Return the similarity of two rows, without projection."""
        first, second = _unit(self._scaling.apply(self._features[[one, other]]))
        return float(first @ second)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
