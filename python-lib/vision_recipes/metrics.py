"""How good predictions are: the figures that training, calibration and reports share."""

from __future__ import annotations

import math

import numpy as np

_BINS = 15
_NORMAL_95 = 1.959963984540054


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of each row of logits (n, classes), in their dtype."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def cross_entropy(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    """Return the weighted mean cross-entropy of the softmax of logits (n, classes).

    `targets` are probabilities (n, classes), `weights` (n,).
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    each = -(targets * log_probabilities).sum(axis=1, dtype=np.float64)
    return float((weights * each).sum() / weights.sum())


def accuracy(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the fraction of rows whose largest logit is that of the class in `targets` (n,); nan without rows."""
    return float((logits.argmax(axis=1) == targets).mean()) if len(targets) else float("nan")


def accuracy_interval(right: float, count: float) -> tuple[float, float]:
    """Return the 95 % confidence interval of `right` out of `count` (Wilson 1927).

    It is scipy.stats.binomtest's, whose import would take a tenth of a short training.
    """
    square = _NORMAL_95**2
    middle = (right + square / 2) / (count + square)
    half = _NORMAL_95 / (count + square) * math.sqrt(right * (count - right) / count + square / 4)
    return middle - half if right else 0.0, middle + half if right < count else 1.0


def grouped_accuracy_interval(right: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Return the 95 % confidence interval of the mean of `right` (n,) for as many rows as their groups (n,) are worth.

    That number is the design effect's (Kish 1965): rows of a group that are right or wrong together count less.
    """
    mean, number = float(right.mean()), len(right)
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], right - mean)
    variance = float((sums**2).sum()) / number**2
    simple = mean * (1 - mean) / number
    worth = number * min(1.0, simple / variance) if variance > 0 else len(sums)
    low, high = accuracy_interval(mean * worth, worth)
    return max(low, 0.0), min(high, 1.0)


def expected_right(right: int, count: int, new: int) -> tuple[int, int]:
    """Return the 95 % prediction interval of how many of `new` cases will be right after `right` out of `count` were.

    It inverts the score test, as the interval of the accuracy does, so it always contains that interval (Krishnamoorthy
    and Peng, Improved closed-form prediction intervals for binomial and Poisson distributions, 2011). Its ends are
    rounded outwards.
    """
    places = np.arange(new + 1)
    pooled = (right + places) / (count + new)
    error = np.sqrt((1 / new + 1 / count) * pooled * (1 - pooled))
    inside = np.flatnonzero(np.abs(places / new - right / count) <= _NORMAL_95 * error + 1e-12)
    return max(int(inside[0]) - 1, 0), min(int(inside[-1]) + 1, new)


def calibration_error(probabilities: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error of the best label's probabilities (n,); `right` (n,) is 1 or 0.

    Probabilities fall into 15 bins of equal width (lower edge excluded); each bin's |accuracy - mean probability| is
    weighted by its number of pictures (Naeini et al. 2015; Guo et al., On calibration of modern neural networks, 2017).
    """
    bins = np.clip(np.ceil(probabilities * _BINS).astype(int) - 1, 0, _BINS - 1)
    gaps = np.bincount(bins, right, _BINS) - np.bincount(bins, probabilities, _BINS)
    return float(np.abs(gaps).sum() / len(probabilities))
