"""The limits of what was learned, found on training features and validation pictures; probabilities made honest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vision_recipes.models.config import VerdictConfig
from vision_recipes.models.verdicts import MOST_CLASSES, Verdict
from vision_recipes.training.design import scaling_of
from vision_recipes.training.examples import cross_entropy, probabilities
from vision_recipes.training.strength import best_factor

SET_ASIDE = 0.085
"""The part of the validation pictures that may be called unsure or unknown, unless a precision is asked for."""

_DIRECTIONS, _FEWEST, _MOST_ROWS = 64, 10, 20_000
_FEWEST_TO_CALIBRATE = 20
_SHRINK = 0.3
_BINS = 15


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


def find_verdict(train: Seen, valid: Seen, precision: float = 0.0) -> Verdict | None:
    """Return how to tell known pictures from others, or None with too few pictures or too many classes.

    With a `precision`, so many validation pictures are set aside that this part of the others is right, if any number
    achieves it; without one a tenth at most is.
    """
    classes = np.unique(train.targets)
    if len(valid.targets) < _FEWEST or len(train.targets) < 2 * _FEWEST or len(classes) > MOST_CLASSES:
        return None
    draft = _distances(train, classes)
    far = draft.distances(valid.features)
    shares = probabilities(valid.logits.astype(np.float64))
    doubt = 1.0 - shares.max(axis=1)
    units = {
        "distance_middle": float(np.median(far)),
        "distance_spread": max(float(far.std()), 1e-6),
        "doubt_middle": float(np.median(doubt)),
        "doubt_spread": max(float(doubt.std()), 1e-3),
    }
    odd = (far - units["distance_middle"]) / units["distance_spread"]
    odd += (doubt - units["doubt_middle"]) / units["doubt_spread"]
    right = shares.argmax(axis=1) == valid.targets
    limit = _limit(odd, right, precision)
    kept = odd <= limit
    config = VerdictConfig(
        limit=limit, known=float(kept.mean()), precision=float(right[kept].mean()) if kept.any() else 0.0, **units
    )
    return replace(draft, config=config)


def _limit(odd: np.ndarray, right: np.ndarray, precision: float) -> float:
    """Return the largest oddness of a known picture."""
    order = np.argsort(odd, kind="stable")
    most = len(odd) - int(SET_ASIDE * len(odd))
    if precision:
        reached = np.flatnonzero(np.cumsum(right[order]) / np.arange(1, len(odd) + 1) >= precision)
        most = int(reached[-1]) + 1 if len(reached) else 1
    inside = float(odd[order[most - 1]])
    return inside if most == len(odd) else (inside + float(odd[order[most]])) / 2


def _distances(train: Seen, classes: np.ndarray) -> Verdict:
    """Return what gives distances, its other numbers still to be found."""
    every = max(1, -(-len(train.targets) // _MOST_ROWS))
    features, targets = np.asarray(train.features[::every]), train.targets[::every]
    scaling = scaling_of(features)
    scaled = scaling.apply(features)
    present = [number for number in classes if (targets == number).any()]
    middles = np.stack([scaled[targets == number].mean(axis=0) for number in present])
    rest = scaled - middles[np.searchsorted(present, targets)]
    size, count = rest.shape[1], min(_DIRECTIONS, *rest.shape)
    if len(rest) < size:
        energy, vectors = np.linalg.eigh((rest @ rest.T).astype(np.float64))
        energy, vectors = energy[-count:], vectors[:, -count:]
        turn = rest.T @ (vectors / np.sqrt(np.maximum(energy, 1e-12)))
    else:
        energy, turn = np.linalg.eigh((rest.T @ rest).astype(np.float64))
        energy, turn = energy[-count:], turn[:, -count:]
    spread, even = energy / len(rest), float((rest.astype(np.float64) ** 2).mean()) or 1.0
    left = max(even * size - float(spread.sum()), 0.0) / max(size - count, 1)
    along, across = (1 - _SHRINK) * spread + _SHRINK * even, (1 - _SHRINK) * left + _SHRINK * even
    unit = np.sqrt(across)
    bent = turn * np.sqrt(np.maximum(1 - across / along, 0.0))
    scale = (scaling.scale * unit).astype(np.float32)
    return Verdict(
        VerdictConfig(),
        scale,
        bent.astype(np.float32),
        ((middles / unit) + scaling.mean / scale).astype(np.float32),
    )


def _error(logits: np.ndarray, targets: np.ndarray) -> float:
    shares = probabilities(logits.astype(np.float64))
    return calibration_error(shares.max(axis=1), (shares.argmax(axis=1) == targets).astype(float))
