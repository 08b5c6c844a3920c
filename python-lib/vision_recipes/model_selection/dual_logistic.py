"""Multinomial logistic regression in its dual form, for all folds of one matrix of similarities at once.

What training.logistic_regression solves, to an optimum as good, at a fraction of the time: the matrix is computed once
for all folds and strengths, and each step is one product with it. Nonlinear conjugate gradients (Polak and Ribière
1969), preconditioned by a bound of the Hessian (Böhning, Multinomial logistic regression algorithm, 1992). Stopping
short of the optimum would judge another last layer than the one that is trained: on small photographs, a better one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.training.kernel_layer import MOST_COMPONENTS, WIDTHS

_MOST_STEPS, _LINE_STEPS = 40, 3
_TOLERANCE = 1e-5
"""A fit ends when a step promises to lower the loss by less than this, per row."""

_COLUMNS = 512
"""How many classes times fits are solved together, which bounds the memory."""

_BIAS = 1.0
"""The variance that the constant is given, in units of the average similarity of a row with itself."""

_OWN = 1e-3
"""The same of a part that each row has alone: without it rounding errors grow where rows depend on each other."""

_SMALLEST = np.float32(1e-30)


def inner_products(scaled: np.ndarray) -> np.ndarray:
    """Return those of scaled features (n, d), float32 (n, n)."""
    found: np.ndarray = scaled @ scaled.T
    return found


def linear_similarities(products: np.ndarray) -> np.ndarray:
    """Return inner products (n, n) with a constant for the bias."""
    return _with_bias(products.copy())


def gaussian_similarities(products: np.ndarray) -> np.ndarray:
    """Return a Gaussian kernel (n, n) float32, centred, of the principal components behind inner products (n, n).

    It is that of training.kernel_layer, with every row a landmark, at the first of the widths that are tried there.
    """
    from scipy.linalg import eigh

    count = len(products)
    first = max(count - MOST_COMPONENTS, 0)
    variances, vectors = eigh(products, subset_by_index=[first, count - 1], check_finite=False)
    rows = vectors * np.sqrt(np.maximum(variances, 0))
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    kernel = np.exp(np.float32(2 * WIDTHS[0]) * (rows @ rows.T - np.float32(1)))
    means = kernel.mean(axis=0)
    return _with_bias(kernel - means - means[:, None] + means.mean())


def _with_bias(product: np.ndarray) -> np.ndarray:
    unit = product.trace() / max(len(product), 1)
    product += np.float32(_BIAS * unit)
    product[np.diag_indices(len(product))] += np.float32(_OWN * unit)
    return product


class HeldOutFits:
    """Fits to all folds but one, for each fold of each repeat.

    `similarity` is (n, n), `targets` (n, classes) are probabilities, `folds` (n,) one array per repeat, `weights` (n,)
    above 0. Every picture has `each` rows, itself and its copies after it, which are only fitted to.
    """

    def __init__(
        self,
        similarity: np.ndarray,
        targets: np.ndarray,
        folds: Sequence[np.ndarray],
        weights: np.ndarray,
        *,
        each: int = 1,
    ) -> None:
        self._similarity, self._folds, self._each = similarity, folds, each
        self._unit = float(similarity.trace()) / (1 + _BIAS + _OWN) / max(len(similarity), 1) or 1.0
        self._root = np.sqrt(weights)
        pairs = [(repeat, fold) for repeat, one in enumerate(folds) for fold in range(int(one.max()) + 1)]
        width = max(_COLUMNS // targets.shape[1], 1)
        self._blocks = [pairs[first : first + width] for first in range(0, len(pairs), width)]
        self._fits = [
            _Fits(
                similarity,
                np.ascontiguousarray(targets.T)[:, None],
                np.stack([weights * (folds[repeat] != fold) for repeat, fold in block]),
            )
            for block in self._blocks
        ]
        self._starts = [np.zeros((targets.shape[1], len(block), len(targets)), np.float32) for block in self._blocks]

    def predict(self, ridge: float) -> list[np.ndarray]:
        """Return logits float32 (n / each, classes) of each repeat, each picture by the fit without its fold.

        `ridge` is per row's average similarity with itself. The search starts where that of the ridge before ended, so
        it is quickest from strong ones to weaker ones.
        """
        strength, classes = np.float32(ridge * self._unit), len(self._starts[0])
        precondition = self._preconditioner(strength)
        found = [np.empty((len(self._root) // self._each, classes), np.float32) for _ in self._folds]
        for number, block in enumerate(self._blocks):
            kept = np.array([[(self._folds[repeat] != fold).mean()] for repeat, fold in block], np.float32)
            at, logits = self._fits[number].minimise(self._starts[number], strength * kept, precondition)
            self._starts[number] = at
            for place, (repeat, fold) in enumerate(block):
                left = self._folds[repeat][:: self._each] == fold
                found[repeat][left] = logits[:, place, :: self._each].T[left]
        return found

    def _preconditioner(self, ridge: np.float32) -> Callable[[np.ndarray], np.ndarray]:
        """Return what multiplies by the inverse of the bound of the Hessian of a fit to all rows."""
        from scipy.linalg import cho_factor, cho_solve

        root = self._root
        bound = np.float32(0.5) * self._similarity * root * root[:, None]
        bound[np.diag_indices(len(bound))] += ridge
        factor = cho_factor(bound, overwrite_a=True, check_finite=False)

        def precondition(gradient: np.ndarray) -> np.ndarray:
            columns = (gradient / root).reshape(-1, len(root)).T
            found: np.ndarray = root * cho_solve(factor, columns, check_finite=False).T.reshape(gradient.shape)
            return found

        return precondition


@dataclass(frozen=True)
class _Fits:
    """Fits at once: `targets` (classes, 1, n) are the same for all, `weights` (fits, n) are 0 where held out.

    The coefficients of a fit are (classes, n); their products with the similarities are logits.
    """

    similarity: np.ndarray
    targets: np.ndarray
    weights: np.ndarray

    def minimise(
        self, start: np.ndarray, ridge: np.ndarray, precondition: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients and logits (classes, fits, n) of least penalised loss; `ridge` is (fits, 1)."""
        at, logits = start, self._logits(start)
        along = moved = gradient = np.zeros_like(start)
        norm = np.zeros(len(ridge), np.float32)
        enough = np.float32(_TOLERANCE) * self.weights.sum(axis=1)
        for _ in range(_MOST_STEPS):
            before, norm_before = gradient, norm
            gradient = self.weights * (_softmax(logits) - self.targets) + ridge * at
            newest = precondition(gradient)
            seen = self._logits(newest)
            norm = _inner(gradient, seen)
            going = norm > enough
            if not going.any():
                break
            turn = _inner(seen, gradient - before) / np.maximum(norm_before, _SMALLEST)
            kept = np.where(norm_before > 0, np.maximum(turn, 0), 0)[:, None]
            along, moved = (going[:, None] * (kept * old - new) for old, new in ((along, newest), (moved, seen)))
            step = self._step(at, logits, along, moved, ridge)
            at, logits = at + step * along, logits + step * moved
        return at, logits

    def _step(
        self, at: np.ndarray, logits: np.ndarray, along: np.ndarray, moved: np.ndarray, ridge: np.ndarray
    ) -> np.ndarray:
        """Return how far to go along a direction, (fits, 1), by Newton's method; `moved` is what it does to logits.

        It is 0 where nothing is left of the direction but rounding errors.
        """
        step = np.zeros_like(ridge)
        shrinking, growing = ridge[:, 0] * _inner(at, moved), ridge[:, 0] * _inner(along, moved)
        for _ in range(_LINE_STEPS):
            probabilities = _softmax(logits + step * moved)
            derivative = _inner(moved, self.weights * (probabilities - self.targets)) + shrinking + step[:, 0] * growing
            weighed = probabilities * moved
            spread = (weighed * moved).sum(axis=0) - weighed.sum(axis=0) ** 2
            curvature = (self.weights * spread).sum(axis=1) + growing
            step = step - (derivative / np.where(growing > 0, curvature, np.inf))[:, None]
        return step

    def _logits(self, coefficients: np.ndarray) -> np.ndarray:
        found: np.ndarray = (coefficients.reshape(-1, len(self.similarity)) @ self.similarity).reshape(
            coefficients.shape
        )
        return found


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over the first axis, where metrics.softmax has the classes last."""
    exponentials = np.exp(logits - logits.max(axis=0))
    return np.asarray(exponentials / exponentials.sum(axis=0))


def _inner(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the inner product of each fit's coefficients and logits, (fits,)."""
    return np.asarray(np.einsum("cfn,cfn->f", one, other))
