"""What a model sees of a row: components of its vector, columns, or the answer of a linear model to the vector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vision_recipes.feature_models.folds import inner_folds
from vision_recipes.feature_models.vector_basis import VectorBasis, fit_basis

VECTOR, BOTH, STACKED, COLUMNS = "vector", "both", "stacked", "columns"
FORMS = (VECTOR, BOTH, STACKED, COLUMNS)

_RIDGES = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
"""Penalties of the linear model of the vector, per row and unit of squared length."""


@dataclass(frozen=True)
class VectorScore:
    """The answers of a ridge regression to a vector: components @ `coef` (k, outputs) + `intercept`, float64."""

    coef: np.ndarray
    intercept: np.ndarray

    def apply(self, components: np.ndarray) -> np.ndarray:
        """Return the scores, float32 (n, outputs)."""
        return np.asarray(components @ self.coef + self.intercept, np.float32)


def assemble(form: str, components: np.ndarray, scores: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the inputs of a form, float32 (n, width), of its parts (n, …)."""
    parts = {VECTOR: [components], BOTH: [components, columns], STACKED: [scores, columns], COLUMNS: [columns]}
    return np.ascontiguousarray(np.hstack(parts[form]), np.float32)


@dataclass(frozen=True)
class Rows:
    """Rows with a target. `vectors` (…, d) on disk, of which `rows` (n,) are meant; `encoded` float32 (n, width).

    `values` (n,) are numbers of classes, or standardised numbers when `classes` is 0; `groups` (n,) stay together.
    """

    vectors: np.ndarray
    rows: np.ndarray
    encoded: np.ndarray
    values: np.ndarray
    groups: np.ndarray
    classes: int
    seed: int

    def take(self, places: np.ndarray) -> Rows:
        """Return some of these rows."""
        parts = (self.rows[places], self.encoded[places], self.values[places], self.groups[places])
        return Rows(self.vectors, *parts, self.classes, self.seed)

    @property
    def one_hot(self) -> np.ndarray:
        """The targets as numbers, float64 (n, outputs)."""
        return np.eye(self.classes)[self.values] if self.classes else self.values[:, None]


class FittedInputs:
    """The parts of the inputs, learned from some rows when they are first needed."""

    def __init__(self, train: Rows) -> None:
        self.train = train
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    @cached_property
    def basis(self) -> VectorBasis:
        """The principal components of the vectors."""
        return fit_basis(self.train.vectors, self.train.rows, self.train.seed)

    @cached_property
    def components(self) -> np.ndarray:
        """Components of the rows to train on, float32 (n, k)."""
        return self.basis.apply(self.train.vectors, self.train.rows)

    @cached_property
    def _stack(self) -> tuple[VectorScore, np.ndarray]:
        return fit_scores(self.components, self.train)

    @property
    def score(self) -> VectorScore:
        """The linear model of the vector alone."""
        return self._stack[0]

    def inputs(self, form: str, weight: float, most: int | None) -> np.ndarray:
        """Return the inputs of the rows to train on; scores are of linear models that have not seen the row."""
        nothing = np.zeros((len(self.train.rows), 0), np.float32)
        components = self.components[:, :most] if form in (VECTOR, BOTH) else nothing
        scores = self._stack[1] if form == STACKED else nothing
        return assemble(form, components, scores, self.train.encoded * np.float32(weight))

    def new_inputs(self, form: str, weight: float, most: int | None, other: Rows) -> np.ndarray:
        """Return the inputs of other rows."""
        nothing = np.zeros((len(other.rows), 0), np.float32)
        components = nothing
        if form != COLUMNS:
            components = self._components_of(other)
        scores = self.score.apply(components) if form == STACKED else nothing
        return assemble(form, components[:, :most], scores, other.encoded * np.float32(weight))

    def _components_of(self, other: Rows) -> np.ndarray:
        if self._last is None or self._last[0] is not other.rows:
            self._last = (other.rows, self.basis.apply(other.vectors, other.rows))
        return self._last[1]


def fit_scores(components: np.ndarray, train: Rows) -> tuple[VectorScore, np.ndarray]:
    """Return a ridge regression of the targets on components, and its answers to rows held out, float32 (n, outputs).

    The penalty is that with the least squared error on rows held out. Answers have a standard deviation of about 1.
    """
    targets = train.one_hot
    folds = inner_folds(train.values, train.groups, train.seed, train.classes)
    held_out = np.zeros((len(_RIDGES), *targets.shape))
    for fold in np.unique(folds):
        inside = folds != fold if folds.any() else np.ones(len(folds), bool)
        solve = _Ridge(components[inside], targets[inside])
        for place, penalty in enumerate(_RIDGES):
            coef, intercept = solve(penalty)
            held_out[place, folds == fold] = components[folds == fold] @ coef + intercept
    best = int(((held_out - targets) ** 2).mean(axis=(1, 2)).argmin())
    coef, intercept = _Ridge(components, targets)(_RIDGES[best])
    mean, deviation = held_out[best].mean(axis=0), held_out[best].std(axis=0)
    deviation = np.where(deviation > 1e-9, deviation, 1.0)
    scores = ((held_out[best] - mean) / deviation).astype(np.float32)
    return VectorScore(coef / deviation, (intercept - mean) / deviation), scores


class _Ridge:
    """Ridge regression with an intercept, for many penalties at the cost of one."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        inputs = inputs.astype(np.float64)
        self._mean, self._target = inputs.mean(axis=0), targets.mean(axis=0)
        centred = inputs - self._mean
        self._count = len(inputs)
        self._values, self._turn = np.linalg.eigh(centred.T @ centred / self._count)
        self._product = self._turn.T @ (centred.T @ (targets - self._target)) / self._count

    def __call__(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        coef = self._turn @ (self._product / (np.maximum(self._values, 0) + penalty)[:, None])
        return coef, self._target - self._mean @ coef
