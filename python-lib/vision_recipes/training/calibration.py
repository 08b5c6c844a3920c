"""Calibration of probabilities by temperature scaling: Guo et al., On calibration of modern neural networks, 2017."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.metrics import calibration_error, cross_entropy, softmax
from vision_recipes.training.regularisation import best_factor

_MIN_PICTURES = 20


@dataclass(frozen=True)
class Calibration:
    """The factor for the logits (1 / temperature), and the expected calibration error before and after it."""

    factor: float
    before: float
    after: float


def calibrate(logits: np.ndarray, targets: np.ndarray) -> Calibration:
    """Return the factor with the best cross-entropy on validation pictures: logits (n, classes), targets (n,).

    It is 1 with fewer than 20 pictures, and where no other improves the cross-entropy without a larger error.
    """
    before = _error(logits, targets)
    unchanged = Calibration(1.0, before, before)
    if len(targets) < _MIN_PICTURES:
        return unchanged
    one_hot = np.eye(logits.shape[1], dtype=np.float32)[targets]
    weights = np.ones(len(targets), np.float32)
    factor, _ = best_factor(logits, one_hot, weights)
    scaled = logits * np.float32(factor)
    after = _error(scaled, targets)
    better = cross_entropy(scaled, one_hot, weights) < cross_entropy(logits, one_hot, weights)
    return Calibration(factor, before, after) if after <= before and better else unchanged


def _error(logits: np.ndarray, targets: np.ndarray) -> float:
    probabilities = softmax(logits.astype(np.float64))
    return calibration_error(probabilities.max(axis=1), (probabilities.argmax(axis=1) == targets).astype(float))
