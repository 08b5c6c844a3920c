"""Fitted models as plain arrays: what each answers is computed here with numpy, in training as in scoring.

scikit-learn fits them; nothing of it is stored, so a model opens with any version of it, and reading one runs no code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from vision_recipes.strict_json import require

_BLOCK = 2048
_VOTES = 50
"""How many votes the trees of a forest, which are much alike, count as in a probability."""


@dataclass(frozen=True)
class Linear:
    """inputs @ `coef` (w, k) + `intercept` (k,), float64: logistic and ridge regression."""

    kind: ClassVar[str] = "linear"
    coef: np.ndarray
    intercept: np.ndarray

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        """Return logits or values, float64 (n, k), of inputs float32 (n, w)."""
        return np.asarray(inputs.astype(np.float64) @ self.coef + self.intercept)

    def check(self, width: int, outputs: int) -> None:
        """Raise ValueError unless the arrays fit so many inputs and outputs."""
        _require_shapes(self, coef=(width, outputs), intercept=(outputs,))


@dataclass(frozen=True)
class Kernel:
    """exp(-gamma |inputs - support|^2) @ `weights` + `intercept`: support vector machines, one against the rest.

    `support` float32 (m, w), `weights` float64 (m, k), `intercept` float64 (k,), `gamma` float64 (1,).
    """

    kind: ClassVar[str] = "kernel"
    support: np.ndarray
    weights: np.ndarray
    intercept: np.ndarray
    gamma: np.ndarray

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        """Return decision values, float64 (n, k), of inputs float32 (n, w)."""
        return _blocks(
            inputs, lambda block: gaussian_kernel(block, self.support, float(self.gamma[0])) @ self.weights
        ) + (self.intercept)

    def check(self, width: int, outputs: int) -> None:
        """Raise ValueError unless the arrays fit so many inputs and outputs."""
        count = len(self.support)
        _require_shapes(self, support=(count, width), weights=(count, outputs), intercept=(outputs,), gamma=(1,))
        require(self.gamma[0] > 0, "gamma must be above 0")


@dataclass(frozen=True)
class Neighbours:
    """The mean of the targets of the nearest rows, weighted by the inverse of their distance.

    `rows` float32 (m, w), `targets` float64 (m, k): values, or one 1 among 0s for a class; `count` int64 (1,).
    """

    kind: ClassVar[str] = "neighbours"
    rows: np.ndarray
    targets: np.ndarray
    count: np.ndarray

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        """Return fractions of votes or mean values, float64 (n, k), of inputs float32 (n, w)."""
        return _blocks(inputs, self._answer)

    def _answer(self, block: np.ndarray) -> np.ndarray:
        distances, count = squared_distances(block, self.rows), int(self.count[0])
        places = np.argpartition(distances, count - 1, axis=1)[:, :count]
        weights = 1 / np.sqrt(np.take_along_axis(distances, places, axis=1) + 1e-6)
        weighted = np.einsum("nc,nck->nk", weights, self.targets[places])
        return np.asarray(weighted / weights.sum(axis=1, keepdims=True))

    def check(self, width: int, outputs: int) -> None:
        """Raise ValueError unless the arrays fit so many inputs and outputs."""
        _require_shapes(self, rows=(len(self.rows), width), targets=(len(self.rows), outputs), count=(1,))
        require(1 <= self.count[0] <= len(self.rows), "count must be between 1 and the number of rows")


@dataclass(frozen=True)
class Trees:
    """Trees whose leaves are added up: random forests and gradient boosting.

    A node int32 sends a row with inputs[feature] <= threshold to `left`, others to `right`; a leaf leads to itself.
    `roots` (t,) are the first nodes, `values` float64 (nodes, c) those of leaves: c is k, or 1 where each tree is for
    the output in `output` (t,). `start` (k,) is added, after a multiplication by `scale` (1,).
    """

    kind: ClassVar[str] = "trees"
    roots: np.ndarray
    output: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    values: np.ndarray
    start: np.ndarray
    scale: np.ndarray

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        """Return mean fractions, logits or values, float64 (n, k), of inputs float32 (n, w)."""
        return _blocks(inputs, self._answer)

    def _answer(self, block: np.ndarray) -> np.ndarray:
        total = np.zeros((len(block), len(self.start)))
        for tree, root in enumerate(self.roots):
            leaves = self._leaves(block, int(root))
            if self.values.shape[1] == 1:
                total[:, self.output[tree]] += self.values[leaves, 0]
            else:
                total += self.values[leaves]
        return np.asarray(total * self.scale[0] + self.start)

    def _leaves(self, block: np.ndarray, root: int) -> np.ndarray:
        leaves = np.full(len(block), root)
        moving = np.arange(len(block)) if self.left[root] != root else np.zeros(0, int)
        while len(moving):
            nodes = leaves[moving]
            below = block[moving, self.feature[nodes]] <= self.threshold[nodes]
            nodes = np.where(below, self.left[nodes], self.right[nodes])
            leaves[moving] = nodes
            moving = moving[self.left[nodes] != nodes]
        return leaves

    def check(self, width: int, outputs: int) -> None:
        """Raise ValueError unless the arrays fit so many inputs and outputs, and every way down ends in a leaf."""
        trees, nodes, columns = len(self.roots), len(self.feature), self.values.shape[-1]
        each = dict.fromkeys(("feature", "threshold", "left", "right"), (nodes,))
        _require_shapes(self, **each, roots=(trees,), output=(trees,), values=(nodes, columns), scale=(1,))
        _require_shapes(self, start=(outputs,))
        require(columns in (1, outputs), "values must have one column, or one for each output")
        own = np.arange(nodes)
        for name, low, high in (("roots", 0, nodes), ("output", 0, outputs), ("feature", 0, width)):
            values = getattr(self, name)
            require(not len(values) or (values.min() >= low and values.max() < high), f"{name} are out of range")
        for side in (self.left, self.right):
            require(not nodes or ((side >= own).all() and side.max() < nodes), "nodes must lead on to later ones")
        require(((self.left == own) == (self.right == own)).all(), "a leaf must lead to itself on both sides")


Predictor = Linear | Kernel | Neighbours | Trees

KINDS: dict[str, Callable[..., Predictor]] = {kind.kind: kind for kind in (Linear, Kernel, Neighbours, Trees)}
_WHOLE = {"count", "roots", "output", "feature", "left", "right"}
_SINGLE = {"support", "rows"}


def dtype_of(name: str) -> np.dtype[Any]:
    """Return the type of an array of a predictor by its name."""
    return np.dtype(np.int64 if name == "count" else np.int32 if name in _WHOLE else "f4" if name in _SINGLE else "f8")


def array_names(kind: str) -> tuple[str, ...]:
    """Return the names of the arrays of a kind of predictor."""
    return tuple(one.name for one in fields(KINDS[kind]))  # type: ignore[arg-type]


def gaussian_kernel(inputs: np.ndarray, support: np.ndarray, gamma: float) -> np.ndarray:
    """Return exp(-gamma x squared distance), float64 (n, m)."""
    return np.asarray(np.exp(-gamma * squared_distances(inputs, support)))


def squared_distances(inputs: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return squared distances, float64 (n, m), of rows (n, w) to others (m, w)."""
    left, right = inputs.astype(np.float64), others.astype(np.float64)
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1) - 2 * (left @ right.T)
    return np.asarray(np.maximum(squares, 0))


def logits(predictor: Predictor, inputs: np.ndarray, classes: int) -> np.ndarray:
    """Return the logits of classes, or standardised numbers, float64 (n, outputs)."""
    found = predictor.outputs(inputs)
    if classes and isinstance(predictor, Neighbours):
        return log_of_votes(found, int(predictor.count[0]))
    if classes and isinstance(predictor, Trees) and predictor.values.shape[1] == classes > 1:
        return log_of_votes(found, _VOTES)
    return found


def log_of_votes(fractions: np.ndarray, votes: int) -> np.ndarray:
    """Return logarithms of fractions (n, k) of so many votes, one vote more spread over all classes."""
    return np.asarray(np.log((fractions * votes + 1 / fractions.shape[1]) / (votes + 1)))


def _blocks(inputs: np.ndarray, answer: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    starts = range(0, max(len(inputs), 1), _BLOCK)
    return np.concatenate([answer(inputs[start : start + _BLOCK]) for start in starts])


def _require_shapes(predictor: Predictor, **shapes: tuple[int, ...]) -> None:
    for name, shape in shapes.items():
        values = getattr(predictor, name)
        require(values.shape == shape, f"{name} is {values.shape} where {shape} is needed")
        require(values.dtype == dtype_of(name), f"{name} holds {values.dtype} where {dtype_of(name)} is needed")
        finite = values.dtype.kind != "f" or np.isfinite(values).all()
        require(finite, f"{name} holds numbers that are not finite")
