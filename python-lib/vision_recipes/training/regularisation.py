"""The strength of the regularisation and the temperature of the logits, chosen by cross-validation.

Only training rows are used, so the validation pictures stay unseen. A strong penalty gives good directions but
underconfident probabilities; so each strength is compared after its logits are multiplied by the best factor
(temperature scaling, Guo et al. 2017), and that factor becomes part of the head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.splits import group_folds
from vision_recipes.metrics import cross_entropy
from vision_recipes.training.logistic_regression import Penalty, Problem, Solution, solve

RIDGES = (0.6, 0.2, 0.06, 0.02, 0.006, 0.002)
"""Ridges to choose from, per unit of an average row's sum of squares, so that they suit any number of features."""

_FEWEST_GROUPS, _FEWEST_PER_CLASS = 15, 3
_MOST_ROWS, _FOLDS, _FOLDS_OF_MANY = 4000, 5, 3
_FACTORS = (0.25, 16.0)
_MOST_PROBABILITIES = 1e7
_TABLE_RIDGE = 1.0


@dataclass(frozen=True)
class Strength:
    """The ridge of picture features, and the factor by which the fitted logits are multiplied."""

    ridge: float
    factor: float = 1.0
    held_out_rows: int = 0
    folds: int = 0

    @property
    def origin(self) -> str:
        """How the strength was chosen, in words."""
        if not self.folds:
            return "with the default regularisation, since there are too few pictures or too many classes to compare"
        return f"with its regularisation chosen by {self.folds}-fold cross-validation"


def penalties(
    problem: Problem, width: int, given: float = 0.0, lasso: float = 0.0
) -> tuple[Callable[[float], Penalty], tuple[float, ...]]:
    """Return a function that makes a penalty of a strength, and the strengths to choose from, or the `given` one.

    It is for the first `width` columns of the matrix, which come from pictures. The others are those of a table, few
    and chosen, which have a mild one.
    """
    table = np.full(problem.matrix.shape[1] - width, given or _TABLE_RIDGE)

    def penalty(ridge: float) -> Penalty:
        return Penalty(np.concatenate([np.full(width, ridge), table]), lasso)

    unit = float(problem.squares[:width].sum()) / len(problem.matrix) or 1.0
    return penalty, (given,) if given else tuple(unit * ridge for ridge in RIDGES)


@dataclass(frozen=True)
class HeldOut:
    """What the best strength predicts for held-out rows: `logits` (n, classes), scaled, of the rows `predicted` (n,).

    `loss` is their cross-entropy.
    """

    strength: Strength
    logits: np.ndarray
    predicted: np.ndarray
    loss: float


def choose_strength(
    problem: Problem,
    groups: np.ndarray,
    penalty: Callable[[float], Penalty],
    strengths: tuple[float, ...] = RIDGES,
    *,
    seed: int = 0,
) -> Strength:
    """Return the strength whose predictions for held-out rows are best, among `strengths`, strongest first.

    Rows with the same number in `groups` (n,) are held out together; `penalty` makes a penalty of a strength. With too
    few rows for that, or too many classes, it is the second, unscaled.
    """
    rows, folds = held_out_folds(problem.targets.argmax(axis=1), groups, seed)
    if len(rows) * problem.classes > _MOST_PROBABILITIES or not len(rows):
        return Strength(strengths[min(1, len(strengths) - 1)])
    return cross_validate(problem.take(rows), folds, penalty, strengths).strength


def cross_validate(
    problem: Problem, folds: np.ndarray, penalty: Callable[[float], Penalty], strengths: tuple[float, ...] = RIDGES
) -> HeldOut:
    """Return what the best strength predicts, each fold by a fit to the others; `folds` (n,) are numbers from 0.

    Stops when weaker penalties have become worse twice.
    """
    targets, count = problem.targets.argmax(axis=1), len(folds)
    number = int(folds.max()) + 1
    predicted = np.zeros(count, bool)
    starts: list[Solution | None] = [None] * number
    best, worse = None, 0
    for ridge in strengths:
        logits = np.zeros(problem.targets.shape, np.float32)
        for fold in range(number):
            kept, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            left = left[np.isin(targets[left], targets[kept])]
            fraction = len(kept) / count
            found = solve(
                problem.take(kept), penalty(ridge * fraction), start=starts[fold], most_steps=60, tolerance=1e-5
            )
            starts[fold], predicted[left] = found, True
            logits[left] = found.logits(problem.matrix[left])
        factor, loss = best_factor(logits[predicted], problem.targets[predicted], problem.weights[predicted])
        if best is None or loss < best.loss:
            strength = Strength(ridge, factor, int(predicted.sum()), number)
            best, worse = HeldOut(strength, logits * np.float32(factor), predicted, loss), 0
        else:
            worse += 1
            if worse == 2:
                break
    assert best is not None
    return best


def best_factor(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return the factor for the logits that gives the least cross-entropy, and that cross-entropy.

    The target probabilities are pulled a little towards even, as for a class seen a few times more (Platt 1999), so
    that rows which are all right do not make the head certain.
    """
    from scipy.optimize import minimize_scalar

    rows, classes = targets.shape
    pull = classes / (rows + 2 * classes)
    softened = targets * (1 - pull) + pull / classes

    def loss(power: float) -> float:
        return cross_entropy(logits * np.float32(np.exp(power)), softened, weights)

    low, high = np.log(_FACTORS)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-2})
    return float(np.exp(found.x)), float(found.fun)


def held_out_folds(
    targets: np.ndarray, groups: np.ndarray, seed: int, most_rows: int = _MOST_ROWS
) -> tuple[np.ndarray, np.ndarray]:
    """Return some rows and the fold of each, groups kept together; none when there are too few."""
    distinct, first = np.unique(groups, return_index=True)
    per_class = np.bincount(targets[first])
    if len(distinct) < _FEWEST_GROUPS or np.median(per_class[per_class > 0]) < _FEWEST_PER_CLASS:
        return np.empty(0, int), np.empty(0, int)
    number = _FOLDS if len(targets) <= most_rows // 2 else _FOLDS_OF_MANY
    every = max(1, -(-len(targets) // most_rows))
    folds = group_folds(targets, groups, number, seed, every)
    rows = np.flatnonzero(folds >= 0)
    return rows, folds[rows]
