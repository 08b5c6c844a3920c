"""Features made ready for a linear solver: centred, scaled, turned into few independent directions, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.standardisation import HALF, Scaling, scaling_of
from vision_recipes.training.examples import Examples


@dataclass(frozen=True)
class Design:
    """The matrix of a linear solver, float32 (n, p): directions of the pictures first, then `extra` table columns.

    `energy` is the sum of squares of each column. `turn` maps directions to scaled features, None when they are alike.
    """

    matrix: np.ndarray
    energy: np.ndarray
    extra: int
    scaling: Scaling
    turn: np.ndarray | None

    @property
    def directions(self) -> int:
        """How many columns come from pictures."""
        return self.matrix.shape[1] - self.extra

    def apply(self, rows: Examples) -> np.ndarray:
        """Return the matrix for other rows."""
        return _matrix(self.scaling, self.turn, rows)

    def fold(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel (d + extra, classes) and bias for raw features, float32, from those of the matrix."""
        picture, table = kernel[: self.directions], kernel[self.directions :]
        if self.turn is not None:
            picture = self.turn.astype(np.float64) @ picture
        raw, bias = self.scaling.fold(picture, bias)
        return np.concatenate([raw, table]).astype(np.float32), bias.astype(np.float32)


def design(rows: Examples, *, turned: bool = True, power: float = HALF) -> Design:
    """Return the solver's matrix of the rows; `power` is that of the scaling.

    `turned` uses the directions of largest variance, at most min(n, d) of them: for a penalty on squares the solution
    is the same as with all features (it lies in the span of the rows), it is found in fewer steps, and n may be small.
    """
    scaling = scaling_of(rows.features, power)
    scaled = scaling.apply(rows.features)
    turn = directions(scaled) if turned else None
    matrix = _matrix(scaling, turn, rows)
    energy = np.einsum("ij,ij->j", matrix, matrix, dtype=np.float64)
    return Design(matrix, energy, rows.extra.shape[1], scaling, turn)


def directions(scaled: np.ndarray) -> np.ndarray:
    """Return the directions (d, k) in which centred rows (n, d) vary, those of largest variance last."""
    if len(scaled) < scaled.shape[1]:
        energy, vectors = np.linalg.eigh(scaled @ scaled.T)
        kept = energy > max(energy[-1], 0.0) * 1e-6
        if not kept.any():
            return np.zeros((scaled.shape[1], 1), np.float32)
        found: np.ndarray = scaled.T @ (vectors[:, kept] / np.sqrt(energy[kept]))
        return found
    energy, vectors = np.linalg.eigh(scaled.T @ scaled)
    kept = energy > max(energy[-1], 0.0) * 1e-6
    return np.ascontiguousarray(vectors[:, kept]) if kept.any() else np.zeros((scaled.shape[1], 1), np.float32)


def _matrix(scaling: Scaling, turn: np.ndarray | None, rows: Examples) -> np.ndarray:
    scaled = scaling.apply(rows.features)
    picture = scaled if turn is None else scaled @ turn
    return np.concatenate([picture, rows.extra.astype(np.float32)], axis=1)
