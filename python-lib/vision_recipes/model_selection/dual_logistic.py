"""Multinomial logistic regression in its dual form, for the folds of one matrix of similarities.

What training.logistic_regression solves, at a fraction of the time: the matrix is computed once for all folds and
strengths, and Newton steps use one factorised bound of the Hessian (Böhning, Multinomial logistic regression algorithm,
1992), with Nesterov's momentum (1983). A few steps give predictions as good as the optimum's.
"""

from __future__ import annotations

import numpy as np

from vision_recipes.metrics import softmax
from vision_recipes.training.kernel_layer import MOST_COMPONENTS, WIDTHS

_STEPS = 10
_BIAS = 0.01
"""The variance that the constant is given, in units of the average similarity of a row with itself."""


def linear_similarities(scaled: np.ndarray) -> np.ndarray:
    """Return the inner products (n, n) float32 of scaled features (n, d), with a constant for the bias."""
    return _with_bias(scaled @ scaled.T)


def gaussian_similarities(scaled: np.ndarray) -> np.ndarray:
    """Return a Gaussian kernel (n, n) float32, centred, of the principal components of scaled features (n, d).

    It is that of training.kernel_layer, with every row a landmark, at the first of the widths that are tried there.
    """
    from scipy.linalg import eigh

    count = len(scaled)
    first = max(count - MOST_COMPONENTS, 0)
    variances, vectors = eigh(scaled @ scaled.T, subset_by_index=[first, count - 1], check_finite=False)
    rows = vectors * np.sqrt(np.maximum(variances, 0))
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    kernel = np.exp(np.float32(2 * WIDTHS[0]) * (rows @ rows.T - np.float32(1)))
    means = kernel.mean(axis=0)
    return _with_bias(kernel - means - means[:, None] + means.mean())


def _with_bias(product: np.ndarray) -> np.ndarray:
    product += np.float32(_BIAS * product.trace() / max(len(product), 1))
    return product


def predict_held_out(
    similarity: np.ndarray,
    targets: np.ndarray,
    folds: np.ndarray,
    ridge: float,
    weights: np.ndarray,
    *,
    each: int = 1,
) -> np.ndarray:
    """Return logits float32 (n, classes) of the rows, each by a fit to the rows of the other folds.

    `similarity` is (n, n), `targets` (n, classes) are probabilities, `ridge` is per row's average similarity with
    itself, `weights` (n,). Every picture has `each` rows, itself and its copies after it, which are only fitted to; the
    logits are of the pictures, (n / each, classes).
    """
    unit = float(similarity.trace()) / max(len(similarity), 1) or 1.0
    logits = np.zeros(targets.shape, np.float32)
    for fold in range(int(folds.max()) + 1):
        kept, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        left = left[left % each == 0]
        strength = np.float32(ridge * unit * len(kept) / len(folds))
        among = np.ascontiguousarray(similarity[np.ix_(kept, kept)])
        coefficients = _fit(among, targets[kept], strength, weights[kept])
        logits[left] = similarity[np.ix_(left, kept)] @ coefficients
    return logits[::each]


def _fit(similarity: np.ndarray, targets: np.ndarray, ridge: np.float32, weights: np.ndarray) -> np.ndarray:
    """Return the coefficients (n, classes) of the rows: logits are similarities times these."""
    from scipy.linalg import cho_factor, cho_solve

    root = np.sqrt(weights)[:, None]
    bound = np.float32(0.5) * similarity * root * root.T
    bound[np.diag_indices(len(bound))] += ridge
    factor = cho_factor(bound, overwrite_a=True, check_finite=False)
    found = before = np.zeros_like(targets)
    momentum = 1.0
    for _ in range(_STEPS):
        grown = (1 + np.sqrt(1 + 4 * momentum * momentum)) / 2
        ahead = found + np.float32((momentum - 1) / grown) * (found - before)
        before, momentum = found, grown
        gradient = weights[:, None] * (softmax(similarity @ ahead) - targets) + ridge * ahead
        found = ahead - root * cho_solve(factor, gradient / root, check_finite=False)
    return found
