"""Metrics as losses of single rows, so that models are compared row by row, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_DRAWS = 1000
_LEAST = 1e-15


@dataclass(frozen=True)
class Metric:
    """A metric: how people know it, and whether more is better. Its loss is a weighted mean over rows, less is better.

    `root`: the metric is the root of the mean.
    """

    name: str
    higher: bool = False
    root: bool = False

    def shown(self, loss: float) -> float:
        """Return the metric of a mean loss."""
        return 1 - loss if self.higher else float(np.sqrt(loss)) if self.root else loss


METRICS = {
    "accuracy": Metric("accuracy", higher=True),
    "balanced_accuracy": Metric("balanced accuracy", higher=True),
    "log_loss": Metric("log loss"),
    "mean_absolute_error": Metric("mean absolute error"),
    "root_mean_squared_error": Metric("root mean squared error", root=True),
    "mean_relative_error": Metric("mean relative error"),
}


def row_losses(metric: str, predicted: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the loss of each row, float64 (n,): of probabilities (n, classes), or of numbers (n,)."""
    if metric in ("accuracy", "balanced_accuracy"):
        return np.asarray(predicted.argmax(axis=1) != values, np.float64)
    if metric == "log_loss":
        return np.asarray(-np.log(np.maximum(predicted[np.arange(len(values)), values], _LEAST)))
    errors = np.abs(predicted - values)
    if metric == "root_mean_squared_error":
        return np.asarray(errors**2)
    return np.asarray(errors / np.maximum(np.abs(values), _LEAST) if metric == "mean_relative_error" else errors)


def row_weights(metric: str, values: np.ndarray) -> np.ndarray:
    """Return the weight of each row, float64 (n,), whose sum is 1."""
    if metric != "balanced_accuracy":
        return np.full(len(values), 1 / len(values))
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[inverse] / len(counts))


class Resampling:
    """Groups of rows drawn again and again with replacement (the bootstrap), the same for all models."""

    def __init__(self, groups: np.ndarray, weights: np.ndarray, seed: int) -> None:
        _, self._group = np.unique(groups, return_inverse=True)
        self._weights = weights
        count = int(self._group.max()) + 1
        random = np.random.default_rng(seed)
        draws = (np.bincount(random.integers(0, count, count), minlength=count) for _ in range(_DRAWS))
        self._drawn = np.stack([draw.astype(np.float32) for draw in draws])
        self._total = self._drawn @ self._sums(np.ones(len(weights)))

    def _sums(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self._group, values * self._weights, self._drawn.shape[1])

    def means(self, losses: np.ndarray) -> np.ndarray:
        """Return the mean loss of each draw, float64 (draws,)."""
        return np.asarray(self._drawn @ self._sums(losses) / np.maximum(self._total, _LEAST))

    def selected(self, every: np.ndarray) -> float:
        """Return the mean loss on rows that did not take part in choosing the best of several models (models, n).

        Bootstrap bias corrected cross-validation: Tsamardinos, Greasidou and Borboudakis 2018.
        """
        sums, ones = np.stack([self._sums(losses) for losses in every]), self._sums(np.ones(len(self._weights)))
        best = (sums @ self._drawn.T).argmin(axis=0)
        outside = self._drawn == 0
        weight = outside @ ones
        means = (sums[best] * outside).sum(axis=1)[weight > 0] / weight[weight > 0]
        return float(means.mean()) if len(means) else float((every[0] * self._weights).sum())


def interval(draws: np.ndarray) -> tuple[float, float]:
    """Return the ends of the middle 95 % of draws."""
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)
