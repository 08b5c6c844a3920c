"""Which labels are doubtful: what models say that did not see the picture, and what the pictures most like it bear.

Out-of-fold probabilities and the confident joint as in Northcutt, Jiang, Chuang, Confident learning (2021); a second
round learns without the pictures that the first one doubts, so that wrong labels do not defend each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.standardisation import scaling_of
from vision_recipes.training.design_matrix import design
from vision_recipes.training.examples import Examples, probabilities
from vision_recipes.training.logistic_regression import Penalty, Problem, Solution, solve
from vision_recipes.training.regularisation import Strength, Trial, choose_strength

_FOLDS, _ROUNDS = 5, 2
_STEPS, _TOLERANCE = 80, 1e-6
_BLOCK, _WIDEST, _MOST_CANDIDATES = 256, 256, 50_000
_STRANGE, _LEAST_STRANGE = 3.5, 1.25


@dataclass(frozen=True)
class Doubts:
    """What is doubted of each row: `shares` (n, classes) are out-of-fold probabilities, `suspicion` is from 0 to 1.

    `suggested` is the most likely class. `wrong` tells the rows whose label is likely wrong.
    """

    shares: np.ndarray
    suspicion: np.ndarray
    suggested: np.ndarray
    wrong: np.ndarray


@dataclass(frozen=True)
class Neighbours:
    """The rows most like each row, nearest first: their numbers and cosines (n, k); `strangeness` 1 is usual."""

    rows: np.ndarray
    likeness: np.ndarray
    strangeness: np.ndarray

    @property
    def strange(self) -> np.ndarray:
        """Which rows are far from all others, measured by how much distances usually vary."""
        usual = float(np.median(self.strangeness))
        spread = 1.4826 * float(np.median(np.abs(self.strangeness - usual)))
        outlying: np.ndarray = self.strangeness > max(_LEAST_STRANGE, usual + _STRANGE * spread)
        return outlying


def find_doubts(rows: Examples, near: Neighbours, seed: int) -> Doubts:
    """Return the doubts; `rows.groups` are never parted, so that no copy of a picture vouches for it."""
    clean = np.ones(len(rows), bool)
    for turn in range(_ROUNDS):
        shares = _left_out_shares(rows, clean, seed + turn)
        wrong, suggested = _confident_joint(shares, rows.targets)
        clean = ~wrong
    own = shares[np.arange(len(rows)), rows.targets]
    judged = _judged(rows)
    others = shares.copy()
    others[np.arange(len(rows)), rows.targets] = -1.0
    margin = (1 + others.max(axis=1) - own) / 2
    votes = _votes(rows, near)
    suspicion = np.where(judged, np.clip(0.75 * margin + 0.25 * (1 - votes), 0, 1), 0.0)
    return Doubts(shares, suspicion, np.where(judged, suggested, rows.targets), wrong & judged)


def find_neighbours(features: np.ndarray, count: int, seed: int = 0) -> Neighbours:
    """Return the `count` rows most like each row by the cosine of scaled, centred features.

    Wide features are mixed at random into 256 values first; of more than 50,000 rows a sample can be neighbours.
    """
    scaling, draw = scaling_of(features), np.random.default_rng(seed)
    width, mixing = features.shape[1], None
    if width > _WIDEST:
        mixing = draw.standard_normal((width, _WIDEST), np.float32)
    parts = [features[start : start + _BLOCK] for start in range(0, len(features), _BLOCK)]
    unit = np.concatenate([_unit(scaling.apply(part), mixing) for part in parts])
    candidates = np.arange(len(unit))
    if len(unit) > _MOST_CANDIDATES:
        candidates = np.sort(draw.choice(len(unit), _MOST_CANDIDATES, replace=False))
    count = min(count, len(candidates) - 1)
    pool, place_of = unit[candidates], np.full(len(unit), -1)
    place_of[candidates] = np.arange(len(candidates))
    found, likeness = [], []
    for start in range(0, len(unit), _BLOCK):
        cosine = unit[start : start + _BLOCK] @ pool.T
        own = place_of[start : start + _BLOCK]
        inside = np.flatnonzero(own >= 0)
        cosine[inside, own[inside]] = -2.0
        nearest = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(cosine, nearest, axis=1), axis=1, kind="stable")
        nearest = np.take_along_axis(nearest, order, axis=1)
        found.append(candidates[nearest])
        likeness.append(np.take_along_axis(cosine, nearest, axis=1))
    cosines = np.concatenate(likeness)
    distance = np.sqrt(np.maximum(2 - 2 * cosines, 0)).mean(axis=1)
    usual = float(np.median(distance)) or 1.0
    return Neighbours(np.concatenate(found), cosines, distance / usual)


def _judged(rows: Examples) -> np.ndarray:
    """Return which rows can be judged: those whose class has pictures of another group as well."""
    pairs = np.unique(np.stack([rows.targets, rows.groups]), axis=1)
    several: np.ndarray = np.bincount(pairs[0], minlength=rows.classes) > 1
    return several[rows.targets]


def _left_out_shares(rows: Examples, clean: np.ndarray, seed: int) -> np.ndarray:
    """Return for each row the probabilities of a head that was fitted without the row, and without doubted ones."""
    ready = design(rows)
    problem = Problem(ready.matrix, rows.wanted(), rows.weights * clean.astype(np.float32), ready.energy)

    def penalty(ridge: float) -> Penalty:
        return Penalty(np.full(ready.matrix.shape[1], ridge))

    unit = float(ready.energy.sum()) / len(rows) or 1.0
    trial = Trial(problem, rows.targets, rows.groups, penalty)
    strength: Strength = choose_strength(trial, tuple(unit * each for each in (0.2, 0.06, 0.02, 0.006)), seed=seed)
    logits = np.zeros((len(rows), rows.classes), np.float32)
    folds, start = _folds(rows, seed), None
    for fold in range(_FOLDS):
        kept, left = np.flatnonzero((folds != fold) & clean), np.flatnonzero(folds == fold)
        part = Problem(problem.matrix[kept], problem.wanted[kept], rows.weights[kept])
        found: Solution = solve(
            part, penalty(strength.ridge * len(kept) / len(rows)), start=start, most_steps=_STEPS, tolerance=_TOLERANCE
        )
        start = found
        logits[left] = found.logits(problem.matrix[left]) * np.float32(strength.factor)
    return probabilities(logits.astype(np.float64))


def _folds(rows: Examples, seed: int) -> np.ndarray:
    """Return the fold of each row: groups whole, classes spread evenly."""
    groups, first, inverse = np.unique(rows.groups, return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(groups))
    order = order[np.argsort(rows.targets[first][order], kind="stable")]
    fold = np.empty(len(groups), int)
    fold[order] = np.arange(len(groups)) % _FOLDS
    return fold[inverse]


def _confident_joint(shares: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows are confidently of another class than their label says, and every row's best class."""
    classes = shares.shape[1]
    own = shares[np.arange(len(targets)), targets]
    counts = np.bincount(targets, minlength=classes)
    usual = np.where(counts > 0, np.bincount(targets, own, classes) / np.maximum(counts, 1), np.inf)
    confident = np.where(shares >= usual, shares, -1.0)
    best = confident.argmax(axis=1)
    sure = confident.max(axis=1) > 0
    suggested = np.where(sure, best, shares.argmax(axis=1))
    return sure & (best != targets) & (shares[np.arange(len(targets)), best] > own), suggested


def _votes(rows: Examples, near: Neighbours) -> np.ndarray:
    """Return the part of the nearest pictures that bear the row's label; pictures of its own group have no vote."""
    same = rows.targets[near.rows] == rows.targets[:, None]
    votes = (rows.groups[near.rows] != rows.groups[:, None]) * np.maximum(near.likeness, 0.0)
    return np.where(votes.sum(axis=1) > 0, (same * votes).sum(axis=1) / np.maximum(votes.sum(axis=1), 1e-9), 0.5)


def _unit(scaled: np.ndarray, mixing: np.ndarray | None) -> np.ndarray:
    scaled = scaled if mixing is None else scaled @ mixing
    unit: np.ndarray = scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-12)
    return unit
