"""Label issues: labels that a model trained without the picture, and the picture's nearest neighbours, disagree with.

Classifiers are trained by cross-validation and calibrated together with the rate of wrong labels (`label_noise`). A
second round gives each picture the weight with which its label is right, so that wrong labels do not support each
other; the rates stay those of the first, because in the second a label has already had a say in its own judgement.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from vision_recipes.dataset.cosine_similarity import CosineSimilarity
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import group_folds
from vision_recipes.training.design_matrix import Design, design
from vision_recipes.training.label_noise import Assessment, Evidence, LabelNoise, assess, estimate_noise
from vision_recipes.training.logistic_regression import Penalty, Problem, Solution, solve
from vision_recipes.training.regularisation import Strength, choose_strength

_FOLDS = 5
_STEPS, _TOLERANCE = 80, 1e-6
_RIDGES = (0.2, 0.06, 0.02, 0.006)
_BLOCK, _MAX_CANDIDATES = 256, 50_000
_DEVIATIONS, _MIN_OUTLIER_SCORE = 3.5, 1.25


@dataclass(frozen=True)
class LabelIssues:
    """What is known of each row's label: its `probability` (n,), and its `suspicion` (n,), the probability to be wrong.

    The first is what classifiers give it that do not know the label. `suggested` (n,) is the most likely class.
    `checked` (n,) is False where the class has no other picture to compare with. `assessment` is that of the checked
    rows, None when they have fewer than two classes. `fitness` compares the features of the same pictures: the higher,
    the better they explain the labels.
    """

    probability: np.ndarray
    suspicion: np.ndarray
    suggested: np.ndarray
    checked: np.ndarray
    assessment: Assessment | None
    fitness: float = -np.inf


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
    count, targets, checked = len(images), images.targets, _checkable(images)
    unknown = LabelIssues(np.ones(count), np.zeros(count), targets.copy(), checked, None)
    if len(np.unique(targets[checked])) < 2:
        return unknown
    classifiers = _Classifiers(images, near, seed)
    weights, noise = np.ones(count), LabelNoise((), np.empty(0))
    for turn in range(2):
        evidence = classifiers.evidence(weights, turn)
        compared = evidence.take(checked)
        noise = noise.recalibrated(compared) if turn else estimate_noise(compared)
        found = assess(compared, noise)
        weights[checked] = 1 - found.suspicion[np.arange(len(found.suspicion)), targets[checked]]
    unknown.probability[checked] = found.probabilities[np.arange(len(found.suspicion)), targets[checked]]
    unknown.suspicion[checked] = 1 - weights[checked]
    unknown.suggested[checked] = found.probabilities.argmax(axis=1)
    return replace(unknown, assessment=found, fitness=noise.fitness)


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


@dataclass
class _Classifiers:
    """Logistic regressions and neighbours that say what class a row is, without its label and its group's."""

    images: LabelledImages
    near: Neighbours
    seed: int
    _ready: Design = field(init=False)
    _strength: Strength | None = None

    def __post_init__(self) -> None:
        self._ready = design(self.images)

    def evidence(self, weights: np.ndarray, turn: int) -> Evidence:
        """Return the evidence by classifiers trained with weights (n,); another turn draws other folds."""
        return Evidence(self._logits(weights, self.seed + turn), self._votes(weights), self.images.targets)

    def _logits(self, weights: np.ndarray, seed: int) -> np.ndarray:
        images, matrix = self.images, self._ready.matrix
        problem = Problem(matrix, images.one_hot(), images.weights * weights.astype(np.float32))
        if self._strength is None:
            unit = float(problem.squares.sum()) / len(images) or 1.0
            strengths = tuple(unit * ridge for ridge in _RIDGES)
            self._strength = choose_strength(problem, images.groups, self._penalty, strengths, seed=seed)
        logits = np.zeros(problem.targets.shape, np.float32)
        folds = group_folds(images.targets, images.groups, _FOLDS, seed)
        found: Solution | None = None
        for fold in range(_FOLDS):
            kept, left_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            ridge = self._penalty(self._strength.ridge * len(kept) / len(images))
            found = solve(problem.take(kept), ridge, start=found, most_steps=_STEPS, tolerance=_TOLERANCE)
            logits[left_out] = found.logits(matrix[left_out])
        return logits.astype(np.float64) * self._strength.factor

    def _votes(self, weights: np.ndarray) -> np.ndarray:
        """Return the logarithms of the class frequencies among the neighbours, weighted by similarity."""
        images, near = self.images, self.near
        count, classes = len(images), len(images.classes)
        other = images.groups[near.rows] != images.groups[:, None]
        counted = other * np.maximum(near.similarity, 0.0) * weights[near.rows]
        cells = np.arange(count)[:, None] * classes + images.targets[near.rows]
        votes = np.bincount(cells.ravel(), counted.ravel(), count * classes).reshape(count, classes)
        return np.asarray(np.log((votes + 1 / classes) / (votes.sum(axis=1, keepdims=True) + 1)))

    def _penalty(self, ridge: float) -> Penalty:
        return Penalty(np.full(self._ready.matrix.shape[1], ridge))
