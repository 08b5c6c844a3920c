"""Metrics as losses of single rows, so that models are compared row by row, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
