"""How sure a difference between two candidates is, from what both predict for the same held-out pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.metrics import accuracy_interval
from vision_recipes.model_selection.sampling import FOLDS

_OVERLAP = 1 + FOLDS / (FOLDS - 1)
"""By what the variance grows because the fits of different folds share pictures (Nadeau and Bengio, Inference for the
generalization error, 2003): their 1/J + n_test/n_train for J folds, over the 1/J of independent ones."""

_DRAWS = 200


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
    """Return the accuracy with the interval of Wilson (1927), for as many pictures as the groups are worth.

    That number is the design effect's (Kish 1965): pictures of a group that are right or wrong together count less.
    """
    mean, number = float(right.mean()), len(right)
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], right - mean)
    variance = float((sums**2).sum()) / number**2
    simple = mean * (1 - mean) / number
    worth = number * min(1.0, simple / variance) if variance > 0 else len(sums)
    low, high = accuracy_interval(mean * worth, worth)
    return Interval(mean, max(low, 0.0), min(high, 1.0))


def accuracy_when_chosen(right: np.ndarray, groups: np.ndarray, seed: int) -> float | None:
    """Return the accuracy of the best of several candidates, right (candidates, n), without the bias of choosing it.

    Bootstrap bias corrected cross-validation (Tsamardinos, Greasidou and Borboudakis 2018): the best candidate of
    groups drawn with replacement is judged on those that were not drawn. None when there are too few groups.
    """
    numbers = np.unique(groups, return_inverse=True)[1]
    count, generator, found = int(numbers.max()) + 1, np.random.default_rng(seed), []
    sizes = np.bincount(numbers)
    sums = np.stack([np.bincount(numbers, row) for row in right])
    for _ in range(_DRAWS):
        drawn = np.bincount(generator.integers(count, size=count), minlength=count)
        left = drawn == 0
        if not left.any():
            continue
        best = int((sums @ drawn).argmax())
        found.append(sums[best, left].sum() / sizes[left].sum())
    return float(np.mean(found)) if len(found) > _DRAWS // 2 else None
