"""A small hidden layer on the largest principal components of the features and on the columns, fitted by L-BFGS.

A few networks start from different random weights and are averaged: together they are one wider hidden layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.standardisation import Scaling, scaling_of
from vision_recipes.model_folder.head_formulas import HiddenLayer
from vision_recipes.training.design_matrix import principal_components
from vision_recipes.training.regularisation import HeldOut, Strength, best_factor

RIDGES = (10.0, 3.0, 1.0)
NETWORKS, _NETWORKS_HELD_OUT = 4, 2
_STEPS, _STEPS_HELD_OUT = 150, 80
_MOST_ROWS = 1000
_FEWEST_COMPONENTS, _MOST_COMPONENTS, _ROWS_PER_COMPONENT = 8, 48, 10
_FEWEST_UNITS, _MOST_UNITS = 16, 64
_COLUMNS = 2.0
"""How much a column counts against an average component."""


@dataclass(frozen=True)
class HiddenDesign:
    """What the networks take, float32 (n, k + e): the features by `projection` (d, k) after scaling, and columns."""

    scaling: Scaling
    projection: np.ndarray

    def apply(self, images: LabelledImages) -> np.ndarray:
        """Return the matrix of rows."""
        components = self.scaling.apply(images.features) @ self.projection
        return np.concatenate([components, np.float32(_COLUMNS) * images.extra], axis=1).astype(np.float32)


def hidden_design(images: LabelledImages) -> HiddenDesign:
    """Return the design whose components are of average variance 1 in the rows."""
    scaling = scaling_of(images.features)
    scaled = scaling.apply(images.features[:: -(-len(images) // _MOST_ROWS)])
    count = min(max(len(scaled) // _ROWS_PER_COMPONENT, _FEWEST_COMPONENTS), _MOST_COMPONENTS)
    projection = principal_components(scaled)[:, -count:]
    size = float(np.sqrt((scaled @ projection).var(axis=0).mean())) or 1.0
    return HiddenDesign(scaling, np.asarray(projection / size, np.float32))


@dataclass
class HiddenSolution:
    """Networks: kernels (networks, p, units) and (networks, units, classes), biases (networks, units), (…, classes)."""

    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray

    def units(self, matrix: np.ndarray) -> np.ndarray:
        """Return the values of the hidden units (networks, n, units)."""
        return np.asarray(np.tanh(matrix @ self.first + self.first_bias[:, None]))

    def logits(self, matrix: np.ndarray) -> np.ndarray:
        """Return the mean logits of the networks, float32 (n, classes)."""
        each = self.units(matrix) @ self.second + self.second_bias[:, None]
        return np.asarray(each.mean(axis=0), np.float32)

    def fold(self, design: HiddenDesign) -> tuple[HiddenLayer, np.ndarray, np.ndarray]:
        """Return the layer for raw features and columns, and the kernel and bias after it, float32."""
        networks, width = len(self.first), design.projection.shape[1]
        joined = np.concatenate(list(self.first), axis=1)
        picture = design.projection.astype(np.float64) @ joined[:width]
        raw, bias = design.scaling.fold(picture, self.first_bias.ravel())
        kernel = np.concatenate([raw, _COLUMNS * joined[width:]])
        layer = HiddenLayer(kernel.astype(np.float32), bias.astype(np.float32))
        second = self.second.reshape(-1, self.second.shape[-1]) / networks
        return layer, second.astype(np.float32), self.second_bias.mean(axis=0).astype(np.float32)


@dataclass
class HiddenProblem:
    """Rows (n, p) with target probabilities (n, classes) and weights (n,), for some networks at once."""

    matrix: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    seed: int = 0

    @cached_property
    def units(self) -> int:
        """How many units each network has."""
        return min(max(2 * self.targets.shape[1], _FEWEST_UNITS), _MOST_UNITS)

    def take(self, rows: np.ndarray) -> HiddenProblem:
        """Return some of the rows."""
        return HiddenProblem(self.matrix[rows], self.targets[rows], self.weights[rows], self.seed)

    def solve(
        self,
        ridge: float,
        networks: int = NETWORKS,
        steps: int = _STEPS,
        watch: Callable[[HiddenSolution], None] | None = None,
    ) -> HiddenSolution:
        """Return networks of little loss with ½ ridge w² on all kernels; the same seed gives the same."""
        from scipy.optimize import minimize

        shapes = self._shapes(networks)
        draw = np.random.default_rng(self.seed)
        start = [np.zeros(shape) for shape in shapes]
        for place in (0, 2):
            start[place] = draw.normal(0, 1 / np.sqrt(shapes[place][1]), shapes[place])
        start[2] *= 0.1
        found = minimize(
            lambda vector: self._loss(_unpack(vector, shapes), ridge),
            np.concatenate([part.ravel() for part in start]),
            jac=True,
            method="L-BFGS-B",
            callback=None if watch is None else lambda vector: watch(HiddenSolution(*_unpack(vector, shapes))),
            options={"maxiter": steps, "maxfun": 2 * steps},
        )
        return HiddenSolution(*_unpack(found.x, shapes))

    def _shapes(self, networks: int) -> list[tuple[int, ...]]:
        inputs, classes, units = self.matrix.shape[1], self.targets.shape[1], self.units
        return [(networks, inputs, units), (networks, units), (networks, units, classes), (networks, classes)]

    def _loss(self, parts: list[np.ndarray], ridge: float) -> tuple[float, np.ndarray]:
        """Return the penalised cross-entropy, summed over rows and networks, and its gradient."""
        solution = HiddenSolution(*parts)
        units = solution.units(self.matrix)
        logits = units @ solution.second + solution.second_bias[:, None]
        logits -= logits.max(axis=2, keepdims=True)
        exponentials = np.exp(logits)
        sums = exponentials.sum(axis=2, keepdims=True)
        loss = -float((self.weights * (self.targets * (logits - np.log(sums))).sum(axis=2)).sum())
        loss += 0.5 * ridge * float((solution.first**2).sum() + (solution.second**2).sum())
        error = (exponentials / sums - self.targets) * self.weights[:, None]
        back = (error @ solution.second.transpose(0, 2, 1)) * (1 - units**2)
        gradients = (
            self.matrix.T @ back + ridge * solution.first,
            back.sum(axis=1),
            units.transpose(0, 2, 1) @ error + ridge * solution.second,
            error.sum(axis=1),
        )
        return loss, np.concatenate([part.ravel() for part in gradients])


def cross_validate_hidden(problem: HiddenProblem, folds: np.ndarray) -> HeldOut:
    """Return what networks predict for held-out rows, at the best of RIDGES; `folds` (n,) are numbers from 0."""
    targets, best = problem.targets.argmax(axis=1), None
    for ridge in RIDGES:
        logits, predicted = np.zeros(problem.targets.shape, np.float32), np.zeros(len(folds), bool)
        for fold in range(int(folds.max()) + 1):
            kept, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            left = left[np.isin(targets[left], targets[kept])]
            found = problem.take(kept).solve(ridge, _NETWORKS_HELD_OUT, _STEPS_HELD_OUT)
            logits[left], predicted[left] = found.logits(problem.matrix[left]), True
        factor, loss = best_factor(logits[predicted], problem.targets[predicted], problem.weights[predicted])
        if best is not None and loss >= best.loss:
            break
        strength = Strength(ridge, factor, int(predicted.sum()), int(folds.max()) + 1)
        best = HeldOut(strength, logits * np.float32(factor), predicted, loss)
    assert best is not None
    return best


def _unpack(vector: np.ndarray, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(vector, ends), shapes, strict=True)]
