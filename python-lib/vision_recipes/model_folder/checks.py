"""The check pictures that every model carries, with its scores: an engine or copy that differs is refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.npz import read_npz

COUNT = 4
MAX_COUNT = 16
TOLERANCE = 1e-3
"""How far a float32 probability may be from the model's own. A wrong conversion moves it by hundredths. Adding up in
another order moves it by 1e-6 for most networks, and by some 1e-4 for deep ones with unusual statistics (as far as
Keras' float32 scores are from its float64 ones)."""

MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class Check:
    """Pictures uint8 (n, height, width, 3) RGB, and the scores float32 (n, classes) that the model gives them."""

    pictures: np.ndarray
    scores: np.ndarray

    def difference(self, scores: np.ndarray) -> float:
        """Return the largest difference of a probability from the model's own; infinity when the shapes differ."""
        if scores.shape != self.scores.shape or not np.isfinite(scores).all():
            return float("inf")
        return float(np.abs(scores.astype(np.float64) - self.scores).max())

    def require(self, scores: np.ndarray, where: str) -> None:
        """Raise ModelFolderError when a probability moved by more than TOLERANCE."""
        moved = self.difference(scores)
        if moved > TOLERANCE:
            raise ModelFolderError(
                f"{where} does not give the scores that the model gave when it was made: a probability differs by "
                f"{moved:.2g}, more than {TOLERANCE:g}. Fetch or retrain the model again."
            )


def read_check(content: bytes, where: str, shape: tuple[int, int], classes: int) -> Check:
    """Return the check in check.npz; sizes are checked against the (height, width) and classes before reading."""
    limits = {"pictures": MAX_COUNT * shape[0] * shape[1] * 3, "scores": MAX_COUNT * classes * 4}
    pictures, scores = read_npz(content, where, limits).values()
    fits = pictures.shape[1:] == (*shape, 3) and scores.shape == (len(pictures), classes) and len(pictures) >= 1
    if not fits or pictures.dtype != np.uint8 or scores.dtype != np.float32 or not np.isfinite(scores).all():
        raise ModelFolderError(
            f"{where} does not fit the model: pictures {pictures.shape} {pictures.dtype}, "
            f"scores {scores.shape} {scores.dtype}. Fetch or retrain the model again."
        )
    return Check(pictures, scores)
