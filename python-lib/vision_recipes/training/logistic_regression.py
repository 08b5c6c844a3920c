"""Multinomial logistic regression with penalties: a convex problem, so it has one optimum.

L-BFGS with a diagonal preconditioner. Ten epochs of a stochastic optimiser stop far from this optimum, and cost more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vision_recipes.metrics import softmax

_CELLS = 1 << 23
_BIAS_RIDGE = 1e-2


@dataclass(frozen=True)
class Penalty:
    """The regularisation, in units of the loss summed over rows: ½ ridge w² + lasso |w|.

    `ridge` is a number per row of the kernel, or per entry; `lasso` one number.
    """

    ridge: np.ndarray
    lasso: float = 0.0


@dataclass
class Solution:
    """A kernel (p, classes) and bias (classes) in float64."""

    kernel: np.ndarray
    bias: np.ndarray

    def logits(self, matrix: np.ndarray) -> np.ndarray:
        """Return the logits of rows."""
        product: np.ndarray = matrix @ self.kernel.astype(np.float32) + self.bias.astype(np.float32)
        return product


@dataclass
class Problem:
    """Rows (n, p) float32 with target probabilities (n, classes) and weights (n,)."""

    matrix: np.ndarray
    targets: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        # each column's sum of squares (p,)
        self.squares = np.einsum("ij,ij->j", self.matrix, self.matrix, dtype=np.float64)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.targets.shape[1])

    def take(self, rows: np.ndarray) -> Problem:
        """Return some of the rows."""
        return Problem(self.matrix[rows], self.targets[rows], self.weights[rows])

    def loss(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the summed cross-entropy and its gradients by kernel and bias, in blocks of rows."""
        total, by_kernel, by_bias = 0.0, np.zeros(kernel.shape, np.float32), np.zeros(bias.shape)
        block = max(64, _CELLS // self.classes)
        for start in range(0, len(self.matrix), block):
            rows = slice(start, start + block)
            logits = self.matrix[rows] @ kernel + bias.astype(np.float32)
            logits -= logits.max(axis=1, keepdims=True)
            exponentials = np.exp(logits)
            sums = exponentials.sum(axis=1, keepdims=True)
            each = (self.targets[rows] * (logits - np.log(sums))).sum(axis=1, dtype=np.float64)
            total -= float((self.weights[rows] * each).sum())
            error = (exponentials / sums - self.targets[rows]) * self.weights[rows, None]
            by_kernel += self.matrix[rows].T @ error
            by_bias += error.sum(axis=0, dtype=np.float64)
        return total, by_kernel, by_bias


def solve(
    problem: Problem,
    penalty: Penalty,
    *,
    start: Solution | None = None,
    most_steps: int = 300,
    tolerance: float = 1e-7,
    watch: Callable[[Solution], None] | None = None,
) -> Solution:
    """Return the kernel and bias of least penalised loss; `watch` sees those of each step. Byrd et al. 1995."""
    from scipy.optimize import minimize

    width, classes = problem.matrix.shape[1], problem.classes
    ridge = np.broadcast_to(penalty.ridge.reshape(width, -1), (width, classes)).astype(np.float64)
    curvature = 0.5 / np.sqrt(classes) * problem.squares[:, None] + ridge + penalty.lasso
    unit = 1.0 / np.sqrt(np.maximum(curvature, 1e-12))
    bias_unit = 1.0 / np.sqrt(0.5 / np.sqrt(classes) * float(problem.weights.sum()) + _BIAS_RIDGE)
    size = width * classes

    def unpack(vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        kernel = vector[:size]
        if penalty.lasso:
            kernel = kernel - vector[size : 2 * size]
        return kernel.reshape(width, classes) * unit, vector[-classes:] * bias_unit

    def objective(vector: np.ndarray) -> tuple[float, np.ndarray]:
        kernel, bias = unpack(vector)
        loss, by_kernel, by_bias = problem.loss(kernel.astype(np.float32), bias)
        loss += 0.5 * float((ridge * kernel * kernel).sum()) + 0.5 * _BIAS_RIDGE * float(bias @ bias)
        gradient = ((by_kernel + ridge * kernel) * unit).ravel()
        parts = [gradient]
        if penalty.lasso:
            cost = penalty.lasso * unit.ravel()
            loss += float(cost @ (vector[:size] + vector[size : 2 * size]))
            parts = [gradient + cost, cost - gradient]
        return loss, np.concatenate([*parts, (by_bias + _BIAS_RIDGE * bias) * bias_unit])

    first = np.zeros(size * (2 if penalty.lasso else 1) + classes)
    if start is not None:
        scaled = (start.kernel / unit).ravel()
        halves = [np.maximum(scaled, 0), np.maximum(-scaled, 0)] if penalty.lasso else [scaled]
        first = np.concatenate([*halves, start.bias / bias_unit])
    bounds = [(0, None)] * (2 * size) + [(None, None)] * classes if penalty.lasso else None
    callback = None if watch is None else (lambda vector: watch(Solution(*unpack(vector))))
    found = minimize(
        objective,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        callback=callback,
        options={
            "maxiter": most_steps,
            "maxfun": 2 * most_steps,
            "ftol": tolerance,
            "gtol": 1e-5 * len(problem.matrix),
        },
    )
    return Solution(*unpack(found.x))


def dropout_ridge(matrix: np.ndarray, logits: np.ndarray, weights: np.ndarray, rate: float) -> np.ndarray:
    """Return the ridge (p, classes) that acts as dropout of `rate` on the columns does, around the given logits.

    Dropout as adaptive regularisation: Wager, Wang, Liang 2013, equation 7.
    """
    probabilities = softmax(logits)
    variance = probabilities * (1 - probabilities) * weights[:, None]
    ridge: np.ndarray = rate / (1 - rate) * (matrix.T**2 @ variance)
    return ridge
