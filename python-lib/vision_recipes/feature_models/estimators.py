"""scikit-learn's estimators, fitted and taken apart into the arrays of a predictor."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.feature_models.predictors import (
    Kernel,
    Linear,
    Neighbours,
    Predictor,
    Trees,
    gaussian_kernel,
)
from vision_recipes.images.reading import cpu_count
from vision_recipes.training.blas_threads import blas_threads

Settings = Mapping[str, float]

TREES = 100
_MOST_LEAF_VALUES = 5_000_000
_MOST_KERNEL_ROWS, _MOST_NEIGHBOUR_ROWS = 4000, 50_000
_MOST_DOUBLES = 20_000_000
"""Of larger inputs no copy with double precision is made."""

_OPERATIONS = 1000
"""Operations on each number of the inputs, roughly: small tasks go faster in one thread."""

ABSENT = -30.0
"""The logit of a class that no row to fit on has, so that its probability is next to nothing."""


@dataclass(frozen=True)
class Task:
    """What is fitted: so many classes, 0 for numbers."""

    classes: int
    seed: int

    @property
    def outputs(self) -> int:
        """How many numbers a predictor answers for a row."""
        return self.classes or 1


def fit_predictor(kind: str, settings: Settings, inputs: np.ndarray, targets: np.ndarray, task: Task) -> Predictor:
    """Return a fitted predictor of inputs float32 (n, w) and targets (n,): numbers of classes, or standardised values.

    A class without a row is never the answer. Support vector machines and nearest neighbours take a sample of many
    rows, which has a row of each class.
    """
    rows = _sample(targets, task, {"svm": _MOST_KERNEL_ROWS, "neighbours": _MOST_NEIGHBOUR_ROWS}.get(kind))
    inputs, targets = inputs[rows], targets[rows]
    with blas_threads(inputs.size * _OPERATIONS):
        return _fit(kind, settings, inputs, targets, task)


def _fit(kind: str, settings: Settings, inputs: np.ndarray, targets: np.ndarray, task: Task) -> Predictor:
    if not task.classes:
        return _FITS[kind](settings, inputs, targets, task)
    present, numbers = np.unique(targets, return_inverse=True)
    if kind == "neighbours":
        return _neighbours(settings, inputs, targets, task)
    if len(present) == 1:
        constant = np.where(np.arange(task.classes) == present[0], 0.0, ABSENT)
        return Linear(np.zeros((inputs.shape[1], task.classes)), constant)
    found = _FITS[kind](settings, inputs, numbers, Task(len(present), task.seed))
    return found if len(present) == task.classes else _spread(found, present, task.classes)


def _sample(targets: np.ndarray, task: Task, most: int | None) -> np.ndarray:
    if most is None or len(targets) <= most:
        return np.arange(len(targets))
    order = np.random.default_rng(task.seed).permutation(len(targets))
    first = order[np.unique(targets[order], return_index=True)[1]] if task.classes else order[:0]
    return np.sort(np.concatenate([first, order[~np.isin(order, first)]])[:most])


def _linear(settings: Settings, inputs: np.ndarray, targets: np.ndarray, task: Task) -> Linear:
    from sklearn.linear_model import LogisticRegression, Ridge

    penalty = settings["penalty"] * len(inputs)
    exact = inputs.astype(np.float64) if inputs.size < _MOST_DOUBLES else inputs
    if not task.classes:
        ridge = Ridge(alpha=penalty, solver="cholesky").fit(exact, targets)
        return Linear(ridge.coef_[:, None].astype(np.float64), np.array([ridge.intercept_], np.float64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lbfgs stops at the limit of its steps: near enough
        fitted = LogisticRegression(C=1 / penalty, max_iter=300).fit(exact, targets)
    return Linear(_both(fitted.coef_.T.astype(np.float64)), _both(fitted.intercept_[None].astype(np.float64))[0])


def _both(columns: np.ndarray) -> np.ndarray:
    """Return one column for each class: of two classes, scikit-learn has that of the second alone."""
    return np.hstack([np.zeros_like(columns), columns]) if columns.shape[1] == 1 else columns.copy()


def _svm(settings: Settings, inputs: np.ndarray, targets: np.ndarray, task: Task) -> Kernel:
    from sklearn.svm import SVC, SVR

    kernel = gaussian_kernel(inputs, inputs, settings["gamma"])
    outputs = 1 if task.classes == 2 else task.outputs
    weights, intercept = np.zeros((len(inputs), outputs)), np.zeros(outputs)
    for output in range(outputs):
        if task.classes:
            fitted = SVC(C=settings["c"], kernel="precomputed").fit(kernel, targets == (output if outputs > 1 else 1))
        else:
            fitted = SVR(C=settings["c"], epsilon=settings["epsilon"], kernel="precomputed").fit(kernel, targets)
        weights[fitted.support_, output] = fitted.dual_coef_[0]
        intercept[output] = fitted.intercept_[0]
    used = np.flatnonzero(weights.any(axis=1))
    used = used if len(used) else np.arange(1)
    if task.classes == 2:
        weights, intercept = _both(weights), _both(intercept[None])[0]
    return Kernel(inputs[used], weights[used], intercept, np.array([settings["gamma"]], np.float64))


def _neighbours(settings: Settings, inputs: np.ndarray, targets: np.ndarray, task: Task) -> Neighbours:
    values = np.eye(task.classes)[targets] if task.classes else targets[:, None].astype(np.float64)
    return Neighbours(inputs, values, np.array([min(int(settings["neighbours"]), len(inputs))], np.int64))


def _forest(settings: Settings, inputs: np.ndarray, targets: np.ndarray, task: Task) -> Trees:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    leaves = max(8, _MOST_LEAF_VALUES // (2 * TREES * task.outputs))
    kind = RandomForestClassifier if task.classes else RandomForestRegressor
    fitted = kind(
        TREES,
        min_samples_leaf=int(settings["leaf_rows"]),
        max_features=settings["inputs_tried"],
        max_leaf_nodes=None if len(inputs) <= leaves else leaves,
        random_state=task.seed,
        n_jobs=cpu_count() if inputs.size > 200_000 else 1,
    ).fit(inputs, targets)
    parts = [one.tree_ for one in fitted.estimators_]
    trees = [(t.feature, t.threshold, t.children_left, t.children_right, t.value[:, 0, :]) for t in parts]
    return _joined(trees, np.zeros(TREES), np.zeros(task.outputs), 1 / TREES)


def _boosting(settings: Settings, inputs: np.ndarray, targets: np.ndarray, task: Task) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if task.classes else HistGradientBoostingRegressor
    fitted = kind(
        learning_rate=settings["learning_rate"],
        max_iter=int(settings["iterations"]),
        max_leaf_nodes=int(settings["leaves"]),
        min_samples_leaf=max(1, min(20, len(inputs) // 20)),
        l2_regularization=1.0,
        early_stopping=False,
        random_state=task.seed,
    ).fit(inputs, targets)
    trees, outputs = [], []
    for step in fitted._predictors:
        for output, part in enumerate(step):
            nodes, leaf = part.nodes, part.nodes["is_leaf"].astype(bool)
            sides = [np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right")]
            trees.append((nodes["feature_idx"], nodes["num_threshold"], *sides, nodes["value"][:, None]))
            outputs.append(output + (task.classes == 2))
    start = np.ravel(fitted._baseline_prediction).astype(np.float64)
    return _joined(trees, np.array(outputs), _both(start[None])[0] if task.classes == 2 else start, 1.0)


def _joined(trees: list[tuple[Any, ...]], output: np.ndarray, start: np.ndarray, scale: float) -> Trees:
    """Return trees (feature, threshold, left, right, values) in one set of arrays; left of a leaf is below 0."""
    sizes = np.array([len(tree[0]) for tree in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    moved = np.repeat(roots, sizes)
    feature, threshold, left, right, values = (np.concatenate([tree[part] for tree in trees]) for part in range(5))
    leaf, own = left < 0, np.arange(len(left))
    return Trees(
        roots.astype(np.int32),
        output.astype(np.int32),
        np.where(leaf, 0, feature).astype(np.int32),
        np.where(leaf, 0.0, threshold).astype(np.float64),
        np.where(leaf, own, left + moved).astype(np.int32),
        np.where(leaf, own, right + moved).astype(np.int32),
        np.where(leaf[:, None], values, 0.0).astype(np.float64),
        start.astype(np.float64),
        np.array([scale], np.float64),
    )


def _spread(found: Predictor, present: np.ndarray, classes: int) -> Predictor:
    """Return a predictor of some of the classes as one of all."""
    low = 0.0 if isinstance(found, Trees) and found.values.shape[1] > 1 else ABSENT

    def wide(values: np.ndarray, fill: float) -> np.ndarray:
        spread = np.full((*values.shape[:-1], classes), fill)
        spread[..., present] = values
        return spread

    if isinstance(found, Linear):
        return Linear(wide(found.coef, 0.0), wide(found.intercept, low))
    if isinstance(found, Kernel):
        return Kernel(found.support, wide(found.weights, 0.0), wide(found.intercept, low), found.gamma)
    if isinstance(found, Trees):
        single = found.values.shape[1] == 1
        values = found.values if single else wide(found.values, 0.0)
        output = present[found.output].astype(np.int32) if single else found.output
        parts = (found.feature, found.threshold, found.left, found.right)
        return Trees(found.roots, output, *parts, values, wide(found.start, low), found.scale)
    return found


_FITS: dict[str, Callable[[Settings, np.ndarray, np.ndarray, Task], Predictor]] = {
    "linear": _linear,
    "svm": _svm,
    "neighbours": _neighbours,
    "forest": _forest,
    "boosting": _boosting,
}
