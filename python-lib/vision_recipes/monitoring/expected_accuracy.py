"""How many predicted labels are right, estimated without any true label from how sure the network is.

It is average thresholded confidence (Garg et al., Leveraging unlabeled data to predict out-of-distribution performance,
2022): the threshold under which validation pictures are as many as have a wrong label is applied to the new ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_RESAMPLED = 1000
_LEAST = 10


@dataclass(frozen=True)
class ExpectedAccuracy:
    """The accuracy expected on new pictures with a 95 % bootstrap interval, and that of the validation pictures.

    The interval is of the sampling of both; it does not contain what a shift does to the relation between the two.
    """

    accuracy: float
    low: float
    high: float
    validation: float


def expect_accuracy(
    probabilities: np.ndarray, right: np.ndarray, new: np.ndarray, seed: int
) -> ExpectedAccuracy | None:
    """Return the expectation for `new` (n,) from `probabilities` (m,) of labels that are `right` (m,) as 1 or 0.

    None with fewer than ten pictures on a side.
    """
    if min(len(right), len(new)) < _LEAST:
        return None
    draw = np.random.default_rng(seed)
    resampled = []
    for _ in range(_RESAMPLED):
        rows = draw.integers(len(right), size=len(right))
        resampled.append(_above(probabilities[rows], right[rows], new[draw.integers(len(new), size=len(new))]))
    low, high = np.quantile(resampled, (0.025, 0.975))
    accuracy = _above(probabilities, right, new)
    return ExpectedAccuracy(accuracy, min(float(low), accuracy), max(float(high), accuracy), float(right.mean()))


def _above(probabilities: np.ndarray, right: np.ndarray, new: np.ndarray) -> float:
    """Return the fraction of `new` above the threshold; of those on it, the part that is above it in validation."""
    ordered = np.sort(probabilities)
    wrong = float(len(right) - right.sum())
    threshold = ordered[min(int(wrong), len(ordered) - 1)]
    below, on = float((probabilities < threshold).sum()), float((probabilities == threshold).sum())
    part = (below + on - wrong) / on
    return float((new > threshold).mean() + part * (new == threshold).mean())
