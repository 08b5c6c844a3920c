"""How sure a difference between two candidates is, from what both predict for the same held-out pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.group_bootstrap import Resampling
from vision_recipes.metrics import grouped_accuracy_interval
from vision_recipes.model_selection.sampling import FOLDS

_OVERLAP = 1 + FOLDS / (FOLDS - 1)
"""By what the variance grows because the fits of different folds share pictures (Nadeau and Bengio, Inference for the
generalization error, 2003): their 1/J + n_test/n_train for J folds, over the 1/J of independent ones."""

_FEWEST_GROUPS = 3


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % confidence interval."""

    mean: float
    low: float
    high: float


def difference(ours: np.ndarray, theirs: np.ndarray, groups: np.ndarray) -> Interval:
    """Return by how much the means of (n,) differ, with an interval for pairs; rows of one group count together.

    The standard error is that of group sums, with half a pair added for and against (Agresti and Min, Simple improved
    confidence intervals for comparing matched proportions, 2005), so that it is never 0, and corrected for
    cross-validation.
    """
    from scipy.special import stdtrit

    each = ours - theirs
    mean, number = float(each.mean()), len(each)
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], each - mean)
    error = np.sqrt(_OVERLAP * (float((sums**2).sum()) + 1)) / (number + 2)
    half = float(stdtrit(max(len(sums) - 1, 1), 0.975) * error)
    return Interval(mean, max(mean - half, -1.0), min(mean + half, 1.0))


def accuracy_of(right: np.ndarray, groups: np.ndarray) -> Interval:
    """Return the accuracy with its interval, rows of one group counting together as far as they are alike."""
    return Interval(float(right.mean()), *grouped_accuracy_interval(right, groups))


def accuracy_when_chosen(right: np.ndarray, groups: np.ndarray, seed: int) -> float | None:
    """Return the accuracy of the best of several candidates, right (candidates, n), without the bias of choosing it.

    None when there are too few groups to leave some out of each draw.
    """
    if len(np.unique(groups)) < _FEWEST_GROUPS:
        return None
    number = right.shape[1]
    return 1 - Resampling(groups, np.full(number, 1 / number), seed).selected(1 - right)
