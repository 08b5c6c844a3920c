"""How well features predict held-out pictures, for choosing between two ways to compute them."""

from __future__ import annotations

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.metrics import softmax
from vision_recipes.training.blas_threads import blas_threads
from vision_recipes.training.design_matrix import design
from vision_recipes.training.logistic_regression import Problem
from vision_recipes.training.regularisation import HeldOut, cross_validate, penalties


def held_out(images: LabelledImages, folds: np.ndarray) -> HeldOut:
    """Return what heads on these features predict for the rows of a fold that they were not fitted to."""
    ready = design(images)
    problem = Problem(ready.matrix, images.one_hot(), images.weights)
    penalty, strengths = penalties(problem, ready.width)
    with blas_threads(4.0 * ready.matrix.size * problem.classes):
        return cross_validate(problem, folds, penalty, strengths)


def judged(found: HeldOut, images: LabelledImages) -> tuple[np.ndarray, np.ndarray]:
    """Return the log loss of each predicted row, and 1 where its label is right; which rows depends on the folds."""
    logits, targets = found.logits[found.predicted].astype(np.float64), images.targets[found.predicted]
    own = softmax(logits)[np.arange(len(targets)), targets]
    return -np.log(np.maximum(own, 1e-6)), (logits.argmax(axis=1) == targets).astype(float)


def standard_errors_above(differences: np.ndarray) -> float:
    """Return by how many standard errors the mean of differences (n,) is above 0."""
    return float(differences.mean() / max(differences.std() / np.sqrt(len(differences)), 1e-9))
