"""What a head learns from: the features of pictures, their table columns, classes and weights, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Examples:
    """Rows to learn from. `features` is float32 (n, d), often mapped from disk; `extra` float32 (n, columns).

    `targets` counts classes from 0; `weights` says how much a row counts; rows of one `groups` number (variants of one
    picture, pictures of one house) are never told apart when the fit is judged.
    """

    features: np.ndarray
    extra: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    groups: np.ndarray
    classes: int

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: np.ndarray) -> Examples:
        """Return some of the rows, copied into memory."""
        return Examples(
            np.asarray(self.features[rows]),
            self.extra[rows],
            self.targets[rows],
            self.weights[rows],
            self.groups[rows],
            self.classes,
        )

    def wanted(self, smoothing: float = 0.0) -> np.ndarray:
        """Return the probabilities to learn, float32 (n, classes): one for the class, some spread when smoothed."""
        spread = np.full((len(self), self.classes), smoothing / self.classes, np.float32)
        spread[np.arange(len(self)), self.targets] += np.float32(1 - smoothing)
        return spread


def class_weights(targets: np.ndarray, classes: int, mode: str) -> np.ndarray:
    """Return a weight per row, mean 1: all alike, or ("auto") each class counting the same in sum."""
    if mode == "none":
        return np.ones(len(targets), np.float32)
    counts = np.bincount(targets, minlength=classes)
    present = int((counts > 0).sum())
    return (len(targets) / (present * counts[targets])).astype(np.float32)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def cross_entropy(logits: np.ndarray, wanted: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted mean cross-entropy of the softmax of the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    each = -(wanted * log_shares).sum(axis=1, dtype=np.float64)
    return float((weights * each).sum() / weights.sum())


def accuracy(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the part of rows whose largest logit is the right class."""
    return float((logits.argmax(axis=1) == targets).mean()) if len(targets) else float("nan")
