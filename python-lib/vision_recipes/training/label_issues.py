"""Label issues: labels that a model trained without the picture, and the picture's nearest neighbours, disagree with.

Out-of-fold probabilities and the confident joint as in Northcutt, Jiang, Chuang, Confident learning (2021); a second
round trains without the pictures flagged by the first, so that wrong labels do not support each other. cleanlab's
filter flags the same rows, but importing it takes longer than all that is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.cosine_similarity import CosineSimilarity
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import group_folds
from vision_recipes.metrics import softmax
from vision_recipes.training.design_matrix import design
from vision_recipes.training.logistic_regression import Penalty, Problem, Solution, solve
from vision_recipes.training.regularisation import choose_strength

_FOLDS, _REPEATS = 5, 2
_STEPS, _TOLERANCE = 80, 1e-6
_RIDGES = (0.2, 0.06, 0.02, 0.006)
_BLOCK, _MAX_CANDIDATES = 256, 50_000
_DEVIATIONS, _MIN_OUTLIER_SCORE = 3.5, 1.25


@dataclass(frozen=True)
class LabelIssues:
    """What is known of each row's label: out-of-fold `probabilities` (n, classes), `suspicion` (n,) from 0 to 1.

    `suggested` (n,) is the most likely class. `wrong` (n,) is True where the label is probably wrong.
    """

    probabilities: np.ndarray
    suspicion: np.ndarray
    suggested: np.ndarray
    wrong: np.ndarray


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each row, nearest first, and their cosine similarities (n, k).

    `outlier_score` (n,) is the mean distance to them, divided by the median of all rows.
    """

    rows: np.ndarray
    similarity: np.ndarray
    outlier_score: np.ndarray

    @property
    def outliers(self) -> np.ndarray:
        """Which rows are far from all others: over 3.5 robust standard deviations above the median (MAD)."""
        median = float(np.median(self.outlier_score))
        deviation = 1.4826 * float(np.median(np.abs(self.outlier_score - median)))
        return np.asarray(self.outlier_score > max(_MIN_OUTLIER_SCORE, median + _DEVIATIONS * deviation))


def find_label_issues(images: LabelledImages, near: Neighbours, seed: int) -> LabelIssues:
    """Return the label issues; groups are kept in one fold, so copies are never evidence for each other's label."""
    every, targets, clean = np.arange(len(images)), images.targets, np.ones(len(images), bool)
    for turn in range(_REPEATS):
        probabilities = _out_of_fold(images, clean, seed + turn)
        wrong, suggested = _confident_joint(probabilities, targets)
        clean = ~wrong
    others = probabilities.copy()
    others[every, targets] = -1.0
    margin = (1 + others.max(axis=1) - probabilities[every, targets]) / 2
    suspicion = np.clip(0.75 * margin + 0.25 * (1 - _agreement(images, near)), 0, 1)
    checked = _checkable(images)
    return LabelIssues(
        probabilities, np.where(checked, suspicion, 0.0), np.where(checked, suggested, targets), wrong & checked
    )


def find_neighbours(features: np.ndarray, count: int, seed: int = 0) -> Neighbours:
    """Return the `count` nearest rows of each row of features (n, d), by cosine similarity.

    Of more than 50,000 rows, the neighbours come from a random sample of that size.
    """
    random = np.random.default_rng(seed)
    vectors = CosineSimilarity(features, random).vectors(np.arange(len(features)))
    candidates = np.arange(len(vectors))
    if len(vectors) > _MAX_CANDIDATES:
        candidates = np.sort(random.choice(len(vectors), _MAX_CANDIDATES, replace=False))
    count = min(count, len(candidates) - 1)
    pool, rows, similarity = vectors[candidates], [], []
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        cosines = block @ pool.T
        cosines[np.arange(start, start + len(block))[:, None] == candidates] = -2.0
        nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(cosines, nearest, axis=1), axis=1, kind="stable")
        nearest = np.take_along_axis(nearest, order, axis=1)
        rows.append(candidates[nearest])
        similarity.append(np.take_along_axis(cosines, nearest, axis=1))
    similarities = np.concatenate(similarity)
    distance = np.sqrt(np.maximum(2 - 2 * similarities, 0)).mean(axis=1)
    return Neighbours(np.concatenate(rows), similarities, distance / (float(np.median(distance)) or 1.0))


def _checkable(images: LabelledImages) -> np.ndarray:
    """Return which rows can be checked: those whose class has pictures of another group as well."""
    pairs = np.unique(np.stack([images.targets, images.groups]), axis=1)
    return np.asarray((np.bincount(pairs[0], minlength=len(images.classes)) > 1)[images.targets])


def _out_of_fold(images: LabelledImages, clean: np.ndarray, seed: int) -> np.ndarray:
    """Return probabilities (n, classes) of classifiers trained without the row's fold and without rows not `clean`."""
    ready = design(images)

    def penalty(ridge: float) -> Penalty:
        return Penalty(np.full(ready.matrix.shape[1], ridge))

    problem = Problem(ready.matrix, images.one_hot(), images.weights * clean.astype(np.float32))
    unit = float(problem.squares.sum()) / len(images) or 1.0
    strengths = tuple(unit * ridge for ridge in _RIDGES)
    strength = choose_strength(problem, images.groups, penalty, strengths, seed=seed)
    logits = np.zeros(problem.targets.shape, np.float32)
    folds = group_folds(images.targets, images.groups, _FOLDS, seed)
    found: Solution | None = None
    for fold in range(_FOLDS):
        kept, left_out = np.flatnonzero((folds != fold) & clean), np.flatnonzero(folds == fold)
        ridge = penalty(strength.ridge * len(kept) / len(images))
        found = solve(problem.take(kept), ridge, start=found, most_steps=_STEPS, tolerance=_TOLERANCE)
        logits[left_out] = found.logits(ready.matrix[left_out]) * np.float32(strength.factor)
    return softmax(logits.astype(np.float64))


def _confident_joint(probabilities: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows confidently belong to another class than their label says, and each row's best class.

    A class is confident where its probability reaches the mean that pictures labelled with it have.
    """
    every, classes = np.arange(len(targets)), probabilities.shape[1]
    own = probabilities[every, targets]
    counts = np.bincount(targets, minlength=classes)
    thresholds = np.where(counts > 0, np.bincount(targets, own, classes) / np.maximum(counts, 1), np.inf)
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    best, certain = confident.argmax(axis=1), confident.max(axis=1) > 0
    wrong = certain & (best != targets) & (probabilities[every, best] > own)
    return wrong, np.where(certain, best, probabilities.argmax(axis=1))


def _agreement(images: LabelledImages, near: Neighbours) -> np.ndarray:
    """Return the fraction of the neighbours, weighted by similarity, with the row's label; its own group is ignored."""
    same = images.targets[near.rows] == images.targets[:, None]
    weights = (images.groups[near.rows] != images.groups[:, None]) * np.maximum(near.similarity, 0.0)
    total = weights.sum(axis=1)
    return np.where(total > 0, (same * weights).sum(axis=1) / np.maximum(total, 1e-9), 0.5)
