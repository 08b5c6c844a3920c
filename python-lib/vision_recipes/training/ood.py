"""The limits of what was learned, found on training features and validation pictures; probabilities made honest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
from vision_recipes.training.design_matrix import directions
from vision_recipes.training.examples import cross_entropy, probabilities
from vision_recipes.training.regularisation import best_factor

SET_ASIDE = 0.1
"""The part of the validation pictures that may be called unsure or unknown, unless a precision is asked for."""

_FEWEST, _FEWEST_TO_CALIBRATE, _BINS = 10, 20, 15
_ROUNDING, _SAME = 1e-6, 1e-3
_ROOM = MAX_BYTES // 2 // 4
"""How many numbers the directions may take: half of the file, 4 bytes each."""

_SHRINK, _NARROW, _RIDGE = 0.3, 1.5, 0.3
"""The share of an even covariance; the kernel's width as a share of the median squared distance; the ridge. These were
chosen on photos of houses and drawn characters with one class left out at a time; the results hardly depend on them."""


@dataclass(frozen=True)
class Seen:
    """Features float32 (n, d) of pictures with their classes; `logits` are what the finished network gives them."""

    features: np.ndarray
    targets: np.ndarray
    logits: np.ndarray


def calibration_error(shares: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error: how far, on average, the best label's probability is from being right.

    Probabilities fall into 15 bins of equal width (lower edge excluded); each bin's |share right - mean probability| is
    weighed by its pictures (Naeini et al. 2015; Guo et al., On calibration of modern neural networks, ICML 2017).
    """
    bins = np.clip(np.ceil(shares * _BINS).astype(int) - 1, 0, _BINS - 1)
    gaps = np.bincount(bins, right, _BINS) - np.bincount(bins, shares, _BINS)
    return float(np.abs(gaps).sum() / len(shares))


@dataclass(frozen=True)
class Calibration:
    """The factor for the logits (1 / temperature), and the calibration error on validation before and after."""

    factor: float
    before: float
    after: float


def calibrate(logits: np.ndarray, targets: np.ndarray) -> Calibration:
    """Return the factor that makes validation probabilities most honest; 1 where none makes them more so."""
    before = _error(logits, targets)
    if len(targets) < _FEWEST_TO_CALIBRATE:
        return Calibration(1.0, before, before)
    wanted = np.eye(logits.shape[1], dtype=np.float32)[targets]
    weights = np.ones(len(targets), np.float32)
    factor, _ = best_factor(logits, wanted, weights)
    after = _error(logits * np.float32(factor), targets)
    better = cross_entropy(logits * np.float32(factor), wanted, weights) < cross_entropy(logits, wanted, weights)
    return Calibration(factor, before, after) if after <= before and better else Calibration(1.0, before, before)


def find_verdict(train: Seen, valid: Seen, precision: float = 0.0) -> OodDetector | None:
    """Return how to tell known pictures from others, or None with too few pictures, too many classes or features.

    With a `precision`, so many validation pictures are set aside that this part of the others is right, if any number
    achieves it; without one a tenth at most is.
    """
    classes, room = valid.logits.shape[1], _ROOM // train.features.shape[1]
    if len(valid.targets) < _FEWEST or len(train.targets) < 2 * _FEWEST or classes > MAX_CLASSES or not room:
        return None
    every = -(-len(train.targets) // MAX_REFERENCES)
    middle, turn, examples, weights = _learned(train.features[::every], train.targets[::every], classes, room)
    draft = OodDetector(OodConfig(), middle, turn, examples, weights)
    odd = ood_scores(draft.evidence(valid.features), valid.logits)
    right = valid.logits.argmax(axis=1) == valid.targets
    limit = _limit(odd, right, precision) + _ROUNDING
    kept = odd <= limit
    found = OodConfig(limit, float(kept.mean()), float(right[kept].mean()) if kept.any() else 0.0)
    return OodDetector(found, middle, turn, examples, weights)


def _limit(odd: np.ndarray, right: np.ndarray, precision: float) -> float:
    """Return the largest oddness of a known picture."""
    order = np.argsort(odd, kind="stable")
    most = len(odd) - int(SET_ASIDE * len(odd))
    if precision:
        reached = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, len(odd) + 1) >= precision)
        most = int(reached[-1]) + 1 if len(reached) else 1
    inside = float(odd[order[most - 1]])
    return inside if most == len(odd) else (inside + float(odd[order[most]])) / 2


def _learned(features: np.ndarray, targets: np.ndarray, classes: int, room: int) -> tuple[np.ndarray, ...]:
    """Return mean, projection (d, at most `room`), references and weights of a detector for features (n, d)."""
    scaling = scaling_of(features, FULL)
    scaled = scaling.apply(features)
    turn = directions(scaled)[:, -min(MAX_DIRECTIONS, len(scaled) // 2, room) :]
    turn = turn @ _whitening(scaled @ turn, targets, classes)
    turned = scaled @ turn
    squares = (turned**2).sum(axis=1)
    apart = float(np.median(squares[:, None] + squares - 2 * (turned @ turned.T)))
    narrow = np.float32(np.sqrt(_NARROW / (apart if apart > _SAME else 1.0)))
    examples = turned * narrow
    wanted = np.eye(classes)[targets]
    kernel = gaussian_kernel(examples, examples, (examples**2).sum(axis=1)).astype(np.float64)
    weights = np.linalg.solve(kernel + _RIDGE * np.eye(len(kernel)), wanted)
    parts = scaling.mean, turn * narrow / scaling.scale[:, None], examples, weights
    return tuple(np.ascontiguousarray(part, np.float32) for part in parts)


def _whitening(points: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    """Return what makes points (n, k) vary alike in all directions (k, k) within their classes, up to _SHRINK."""
    present = np.bincount(targets, minlength=classes) > 0
    middles = np.stack([points[targets == number].mean(axis=0) for number in np.flatnonzero(present)])
    rest = (points - middles[np.cumsum(present)[targets] - 1]).astype(np.float64)
    spread = rest.T @ rest / len(rest)
    even = float(np.trace(spread)) / len(spread) or 1.0
    energy, vectors = np.linalg.eigh((1 - _SHRINK) * spread + _SHRINK * even * np.eye(len(spread)))
    return np.asarray(vectors / np.sqrt(energy), np.float32)


def _error(logits: np.ndarray, targets: np.ndarray) -> float:
    shares = probabilities(logits.astype(np.float64))
    return calibration_error(shares.max(axis=1), (shares.argmax(axis=1) == targets).astype(float))
