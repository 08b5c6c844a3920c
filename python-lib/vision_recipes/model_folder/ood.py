"""Out-of-distribution detection: how much evidence a picture's reference features are for the model's label.

The evidence is a kernel ridge regression of the labels on features of training pictures: the mean of a Gaussian process
(Rasmussen and Williams 2006, chapters 2 and 6). For a picture like those of one class it is near 1 for that class. Far
from all of them it is near 0: the picture is "unknown". Between two classes it is shared: "unsure".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.checks import read_npz, write_npz
from vision_recipes.model_folder.config import OodConfig
from vision_recipes.rows import KNOWN, UNKNOWN, UNSURE

MAX_DIRECTIONS, MAX_REFERENCES, MAX_CLASSES = 256, 1000, 1000
MAX_BYTES = 64 << 20
_ARRAYS = ("middle", "turn", "examples", "weights")
"""The names in known.npz of a detector's mean, projection, references and weights."""


@dataclass(frozen=True)
class OodDetector:
    """The detector of a retrained model; all arrays are float32.

    Features are projected as (features - `mean` (d,)) @ `projection` (d, k) and compared with the `references` (m, k).
    The evidence is the kernel of both times `weights` (m, classes).
    """

    config: OodConfig
    mean: np.ndarray
    projection: np.ndarray
    references: np.ndarray
    weights: np.ndarray

    def evidence(self, features: np.ndarray) -> np.ndarray:
        """Return the evidence (n, classes) for each class of features (n, d): a row sums to about 1 if known."""
        projected = _product(features.astype(np.float32) - self.mean, self.projection)
        return _product(gaussian_kernel(projected, self.references, self._squared_norms), self.weights)

    @cached_property
    def _squared_norms(self) -> np.ndarray:
        return np.asarray((self.references**2).sum(axis=1))

    def assess(self, scores: np.ndarray, features: np.ndarray) -> tuple[str, float]:
        """Return the verdict and the out-of-distribution score of a picture with scores (classes,), features (d,)."""
        evidence = self.evidence(features[None])
        score, missing = float(ood_scores(evidence, scores[None])[0]), 1.0 - float(evidence.sum())
        if score <= self.config.limit:
            return KNOWN, score
        return (UNKNOWN if missing > score / 2 else UNSURE), score


def ood_scores(evidence: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return out-of-distribution scores (n,): 1 minus the mean evidence for the best supported and predicted class.

    `evidence` and `scores` are (n, classes).
    """
    predicted = np.take_along_axis(evidence, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.asarray(1.0 - (evidence.max(axis=1).astype(np.float64) + predicted) / 2)


def gaussian_kernel(points: np.ndarray, references: np.ndarray, squared_norms: np.ndarray) -> np.ndarray:
    """Return exp(-squared distance) (n, m) of points (n, k) to references (m, k), whose squared norms are (m,)."""
    distances = (points**2).sum(axis=1)[:, None] + squared_norms - 2 * _product(points, references.T)
    return np.asarray(np.exp(-np.maximum(distances, 0)))


def _product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return rows @ matrix; a single row goes without BLAS, whose threads would compete with the engine's."""
    return np.asarray(np.einsum("j,jk->k", rows[0], matrix)[None] if len(rows) == 1 else rows @ matrix)


def write_ood(detector: OodDetector) -> bytes:
    """Return the bytes of known.npz; the same detector gives the same bytes."""
    arrays = detector.mean, detector.projection, detector.references, detector.weights
    return write_npz({name: np.asarray(part, np.float32) for name, part in zip(_ARRAYS, arrays, strict=True)})


def read_ood(content: bytes, where: str, config: OodConfig, features: int, classes: int) -> OodDetector:
    """Return the detector in known.npz; sizes are checked against the numbers of features and classes first."""
    most = (features, features * MAX_DIRECTIONS, MAX_REFERENCES * MAX_DIRECTIONS, MAX_REFERENCES * classes)
    limits = {name: 4 * size for name, size in zip(_ARRAYS, most, strict=True)}
    mean, projection, references, weights = arrays = tuple(read_npz(content, where, limits).values())
    count, width = len(references), projection.shape[-1]
    shapes = ((features,), (features, width), (count, width), (count, classes))
    if not count or any(
        part.shape != shape or part.dtype != np.float32 for part, shape in zip(arrays, shapes, strict=True)
    ):
        raise ModelFolderError(
            f"{where} does not fit the model: {projection.shape}, {references.shape} and {weights.shape} for "
            f"{features} features and {classes} classes. Retrain the model again."
        )
    if not all(np.isfinite(part).all() for part in arrays):
        raise ModelFolderError(f"{where} holds numbers that are not finite. Retrain the model again.")
    return OodDetector(config, mean, projection, references, weights)
