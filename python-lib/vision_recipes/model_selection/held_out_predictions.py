"""What a candidate's last layer predicts for pictures that it was not fitted to, over all repeats of the folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.standardisation import scaling_of
from vision_recipes.metrics import softmax
from vision_recipes.model_selection.dual_logistic import (
    HeldOutFits,
    gaussian_similarities,
    inner_products,
    linear_similarities,
)
from vision_recipes.model_selection.sampling import Sample
from vision_recipes.training.blas_threads import blas_threads
from vision_recipes.training.kernel_layer import KERNEL, KERNEL_RIDGES
from vision_recipes.training.last_layer_choice import LINEAR
from vision_recipes.training.regularisation import RIDGES, best_factor

_LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Predictions:
    """Of each predicted picture, over the repeats: `right` (n,), the fraction that is right, and its log `losses` (n,).

    `ridge` is the strength of the regularisation that predicted best.
    """

    right: np.ndarray
    losses: np.ndarray
    ridge: float

    @property
    def accuracy(self) -> float:
        """The fraction of held-out pictures that is right."""
        return float(self.right.mean())


def predicted_rows(sample: Sample) -> np.ndarray:
    """Return the rows that can be predicted: those whose class has another group, in every repeat another fold."""
    possible = np.ones(len(sample), bool)
    for folds in sample.folds:
        for fold in range(int(folds.max()) + 1):
            left = np.flatnonzero(folds == fold)
            possible[left] &= np.isin(sample.targets[left], sample.targets[folds != fold])
    return np.flatnonzero(possible) if sample.folds else np.empty(0, int)


def scaled_products(features: np.ndarray) -> np.ndarray:
    """Return the inner products float32 (n, n) of features (n, d), scaled as the training scales them."""
    with blas_threads(2.0 * len(features) * features.size):
        return inner_products(scaling_of(features).apply(features))


def judge(products: np.ndarray, sample: Sample, last_layer: str = LINEAR, near: float | None = None) -> Predictions:
    """Return what last layers on features predict for the rows of the sample, of the best strength.

    Products are those of scaled_products (n, n), of each picture or of each picture and then of its augmented copies,
    which count together as much as one.

    With a strength that was best on fewer pictures, only it and the next weaker one are tried. The strength is the one
    of the least log loss on the same held-out rows, alike for all candidates.
    """
    rows, targets, each = predicted_rows(sample), sample.one_hot(), len(products) // len(sample)
    spread, weights = np.repeat(np.arange(len(sample)), each), np.full(len(products), 1 / each, np.float32)
    with blas_threads(len(products) ** 3 / 3.0):
        similarity = gaussian_similarities(products) if last_layer == KERNEL else linear_similarities(products)
    fits = HeldOutFits(similarity, targets[spread], [folds[spread] for folds in sample.folds], weights, each=each)
    best: Predictions | None = None
    worse, best_loss = 0, np.inf
    for ridge in _strengths(last_layer, near):
        with blas_threads(len(products) ** 3 / 3.0):
            found = [logits[rows] for logits in fits.predict(ridge)]
        every = np.tile(targets[rows], (len(found), 1))
        factor, loss = best_factor(np.concatenate(found), every, np.ones(len(every)))
        if loss < best_loss:
            best, best_loss, worse = _judged(found, factor, sample.targets[rows], ridge), loss, 0
        elif (worse := worse + 1) == 2:
            break
    assert best is not None
    return best


def _strengths(last_layer: str, near: float | None) -> Sequence[float]:
    """Return the strengths to try, strongest first: all, or a known one and the next weaker one."""
    every = KERNEL_RIDGES if last_layer == KERNEL else RIDGES
    return every if near is None else every[every.index(near) :][:2]


def _judged(found: Sequence[np.ndarray], factor: float, targets: np.ndarray, ridge: float) -> Predictions:
    right = np.mean([logits.argmax(axis=1) == targets for logits in found], axis=0)
    own = [softmax(factor * logits.astype(np.float64))[np.arange(len(targets)), targets] for logits in found]
    return Predictions(right, np.mean(-np.log(np.maximum(own, _LEAST_PROBABILITY)), axis=0), ridge)
