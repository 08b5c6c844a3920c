"""Out-of-distribution detection: fitted on training features, with its limit set on validation pictures.

Kernel ridge regression of the labels with a Gaussian kernel, the mean of a Gaussian process (Rasmussen and Williams,
Gaussian processes for machine learning, 2006, chapters 2 and 6), on features whitened within classes by a shrunk
covariance, as for a Mahalanobis distance (Lee et al., A simple unified framework for detecting out-of-distribution
samples, 2018).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.standardisation import FULL, scaling_of
from vision_recipes.model_folder.config import OodConfig
from vision_recipes.model_folder.ood import (
    MAX_BYTES,
    MAX_CLASSES,
    MAX_DIRECTIONS,
    MAX_REFERENCES,
    OodDetector,
    gaussian_kernel,
    ood_scores,
)
from vision_recipes.training.blas_threads import blas_threads
from vision_recipes.training.design_matrix import principal_components

MAX_FLAGGED = 0.1
"""The fraction of validation pictures that may be flagged as unsure or unknown, unless a precision is asked for."""

_MIN_PICTURES = 10
_TRIAL_ROWS, _TRIAL_CLASSES, _TRIAL_HELD_OUT = 400, 6, 0.4
_TRIAL_FLAGGED = (0.05, 0.1, 0.15, 0.2, 0.3)
"""Trials of parts of the features: of how many pictures and classes, the fraction held out, the fractions flagged."""

_ROUNDING, _MIN_DISTANCE = 1e-6, 1e-3
_MAX_PROJECTION = MAX_BYTES // 2 // 4
"""How many numbers the projection may take: half of the file, 4 bytes each."""

_SHRINKAGE, _BANDWIDTH, _RIDGE = 0.3, 1.5, 0.3
"""The fraction of an even covariance; the kernel's exponent at the median squared distance; the ridge. Chosen on photos
of houses and drawn characters with one class left out at a time; the results hardly depend on them."""


def fit_ood(
    train: LabelledImages,
    valid: LabelledImages,
    logits: np.ndarray,
    precision: float = 0.0,
    parts: Sequence[slice] = (),
    seed: int = 0,
) -> OodDetector | None:
    """Return the detector, or None with too few pictures, too many classes or too many features.

    `logits` (n, classes) are the finished network's for the validation pictures. With a `precision`, as many of these
    are flagged as it takes for that fraction of the others to be right; without one, at most a tenth. Of features in
    several `parts`, one part is used alone where it detects classes left out of the training pictures best.
    """
    width, classes = train.features.shape[1], logits.shape[1]
    wide = min(MAX_DIRECTIONS, _MAX_PROJECTION // width)
    if len(valid) < _MIN_PICTURES or len(train) < 2 * _MIN_PICTURES or classes > MAX_CLASSES or not wide:
        return None
    every = -(-len(train) // MAX_REFERENCES)
    with blas_threads(2.0 * train.features[::every].size * MAX_DIRECTIONS):
        used = _best_part(train, parts, seed)
        mean, projection, references, weights = _fit_kernel_ridge(
            train.features[::every, used], np.eye(classes)[train.targets[::every]], wide
        )
    arrays = _widened(mean, used, width), _widened(projection, used, width), references, weights
    detector = OodDetector(OodConfig(), *arrays)
    scores = ood_scores(detector.evidence(valid.features), logits)
    right = logits.argmax(axis=1) == valid.targets
    limit = _limit(scores, right, precision)
    if not precision:  # where classes are easy, unseen pictures may get more evidence than those trained on
        shown = train.take(np.arange(0, len(train), every))
        own = ood_scores(detector.evidence(shown.features), shown.one_hot())
        limit = max(limit, float(np.quantile(own, 1 - 2 * MAX_FLAGGED)))
    limit += _ROUNDING
    known = scores <= limit
    reached = float(right[known].mean()) if known.any() else 0.0
    return OodDetector(OodConfig(limit, float(known.mean()), reached), *arrays)


def _widened(rows: np.ndarray, used: slice, width: int) -> np.ndarray:
    """Return the rows (d, …) of the used features among those of all features, where the others are 0."""
    wide = np.zeros((width, *rows.shape[1:]), np.float32)
    wide[used] = rows
    return wide


def _best_part(train: LabelledImages, parts: Sequence[slice], seed: int) -> slice:
    """Return the features with which classes left out in turn are detected best: all, or one better part.

    Each time some of the other classes' pictures are held out as well: the score is the fraction of the pictures of the
    class left out that are less supported than most of these, averaged over several limits.
    """
    every, classes = slice(None), np.unique(train.targets)
    if len(parts) < 2 or len(classes) < 3:
        return every
    draw = np.random.default_rng(seed)
    rows = np.sort(draw.permutation(len(train))[:_TRIAL_ROWS])
    left_out = draw.permutation(classes)[:_TRIAL_CLASSES]
    features, targets = np.asarray(train.features[rows], np.float32), train.targets[rows]
    held_out = draw.random(len(rows)) < _TRIAL_HELD_OUT

    def rate_of(used: slice) -> float:
        scaled = scaling_of(features[:, used], FULL).apply(features[:, used])
        turned = scaled @ principal_components(scaled)  # the same distances, in fewer numbers
        return float(np.mean([_detection_rate(turned, targets, label, held_out) for label in left_out]))

    scores = [rate_of(part) for part in parts]
    best = int(np.argmax(scores))
    return parts[best] if scores[best] > rate_of(every) else every


def _detection_rate(scaled: np.ndarray, targets: np.ndarray, left_out: int, held_out: np.ndarray) -> float:
    """Return the fraction of a class's pictures that a detector fitted to the other classes sets aside, on average."""
    fitted, known, unseen = (targets != left_out) & ~held_out, (targets != left_out) & held_out, targets == left_out
    others = np.unique(targets[fitted])
    if len(others) < 2 or fitted.sum() < _MIN_PICTURES or not known.any() or not unseen.any():
        return 0.0
    one_hot = (targets[fitted][:, None] == others).astype(np.float64)
    arrays = _fit_scaled(scaled[fitted], one_hot, MAX_DIRECTIONS)
    detector = OodDetector(OodConfig(), np.zeros(scaled.shape[1], np.float32), *arrays)
    best = [detector.evidence(scaled[some]).max(axis=1) for some in (known, unseen)]
    return float(np.mean([(best[1] < limit).mean() for limit in np.quantile(best[0], _TRIAL_FLAGGED)]))


def _limit(scores: np.ndarray, right: np.ndarray, precision: float) -> float:
    """Return the highest out-of-distribution score of a known picture."""
    order = np.argsort(scores, kind="stable")
    known = len(scores) - int(MAX_FLAGGED * len(scores))
    if precision:
        reached = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, len(scores) + 1) >= precision)
        known = int(reached[-1]) + 1 if len(reached) else 1
    return float(scores[order[known - 1 : known + 1]].mean())


def _fit_kernel_ridge(features: np.ndarray, one_hot: np.ndarray, wide: int) -> tuple[np.ndarray, ...]:
    """Return mean (d,), projection (d, at most `wide`), references and weights of a detector for features (n, d)."""
    scaling = scaling_of(features, FULL)
    projection, references, weights = _fit_scaled(scaling.apply(features), one_hot, wide)
    return scaling.mean, projection / scaling.scale[:, None], references, weights


def _fit_scaled(scaled: np.ndarray, one_hot: np.ndarray, wide: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return projection (d, at most `wide`), references and weights, float32, for scaled features (n, d)."""
    projection = principal_components(scaled)[:, -min(wide, len(scaled) // 2) :]
    projection = projection @ _whitening(scaled @ projection, one_hot)
    points = scaled @ projection
    squares = (points**2).sum(axis=1)
    distance = float(np.median(squares[:, None] + squares - 2 * (points @ points.T)))
    projection *= np.float32(np.sqrt(_BANDWIDTH / (distance if distance > _MIN_DISTANCE else 1.0)))
    references = scaled @ projection
    kernel = gaussian_kernel(references, references, (references**2).sum(axis=1)).astype(np.float64)
    weights = np.linalg.solve(kernel + _RIDGE * np.eye(len(kernel)), one_hot)
    arrays = tuple(np.ascontiguousarray(part, np.float32) for part in (projection, references, weights))
    return arrays[0], arrays[1], arrays[2]


def _whitening(points: np.ndarray, one_hot: np.ndarray) -> np.ndarray:
    """Return the matrix (k, k) that gives points (n, k) even variance within classes, as far as shrinkage allows."""
    means = one_hot.T @ points / np.maximum(one_hot.sum(axis=0), 1)[:, None]
    residuals = points - one_hot @ means
    covariance = residuals.T @ residuals / len(residuals)
    even = float(np.trace(covariance)) / len(covariance) or 1.0
    shrunk = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * even * np.eye(len(covariance))
    variances, vectors = np.linalg.eigh(shrunk)
    return np.asarray(vectors / np.sqrt(variances), np.float32)
