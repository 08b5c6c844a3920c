"""Whether two samples of features differ: a classifier two-sample test and the energy distance, by permutation.

The classifier is a ridge regression of "new or not" on the features (Lopez-Paz and Oquab, Revisiting classifier
two-sample tests, 2017). Its leave-one-out answers have a closed form (Allen 1974), so that a permutation costs one
product of matrices. The energy distance (Székely and Rizzo 2004) finds what moves many directions a little, such as a
new class. The larger of the two, each standardised over the permutations, is judged against its own permutations (as in
Westfall and Young 1993), so that they are one test at its exact level, as far as pictures are exchangeable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PERMUTATIONS = 1000
_BLOCK = 256
_ROUNDED = 6
"""Decimals of an answer that count: below them is the arithmetic's own noise."""


@dataclass(frozen=True)
class TwoSampleTest:
    """The result: `separability` is the area under the ROC curve of old against new, 0.5 where they are alike.

    `answers` (n,) are the classifier's for the new pictures, in standard deviations of those for the reference pictures
    above their mean.
    """

    p_value: float
    separability: float
    answers: np.ndarray


def compare_samples(
    reference: np.ndarray, new: np.ndarray, seed: int, strata: np.ndarray | None = None
) -> TwoSampleTest:
    """Return the test of features (m, d) against others (n, d).

    With `strata` int (m + n,), pictures change places within their stratum only, and its mean is taken from their
    features: then only differences within strata count.
    """
    rows = _unit(np.concatenate([reference, new]).astype(np.float32))
    sides = np.zeros(len(rows), np.float32)
    sides[len(reference) :] = 1
    if strata is not None:
        rows = _without_means(rows, strata)
    sides_of = _permutations(sides, np.zeros(len(rows), int) if strata is None else strata, seed)
    classifier = _Ridge(rows)
    answers = classifier.left_out(sides[:, None])[:, 0]
    distances = _distances(rows)
    statistics = np.empty((2, PERMUTATIONS + 1))
    for start in range(0, PERMUTATIONS + 1, _BLOCK):
        block = sides_of[:, start : start + _BLOCK]
        statistics[0, start : start + _BLOCK] = _areas(classifier.left_out(block), block)
        statistics[1, start : start + _BLOCK] = _energies(distances, block)
    separability = max(0.5, float(statistics[0, 0]))  # left-out answers lean to the wrong side where all is alike
    return TwoSampleTest(_p_of_largest(statistics), separability, _standardised(answers, sides))


def _unit(rows: np.ndarray) -> np.ndarray:
    """Return the rows at length 1, so that their distances are those of cosine similarity."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _without_means(rows: np.ndarray, strata: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(strata, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), rows.shape[1]), np.float64)
    np.add.at(sums, places, rows)
    return np.asarray(rows - (sums / counts[:, None])[places], np.float32)


def _permutations(sides: np.ndarray, strata: np.ndarray, seed: int) -> np.ndarray:
    """Return sides float32 (m + n, PERMUTATIONS + 1): the real ones first, then permuted within strata."""
    draw = np.random.default_rng(seed)
    permuted = np.empty((len(sides), PERMUTATIONS + 1), np.float32)
    permuted[:, 0] = sides
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        repeated = np.broadcast_to(sides[rows, None], (len(rows), PERMUTATIONS))
        permuted[rows, 1:] = draw.permuted(repeated, axis=0)
    return permuted


class _Ridge:
    """Ridge regression on centred rows (n, d), the ridge being their mean squared length."""

    def __init__(self, rows: np.ndarray) -> None:
        centred = (rows - rows.mean(axis=0)).astype(np.float64)
        if rows.shape[0] <= rows.shape[1]:
            squares, vectors = np.linalg.eigh(centred @ centred.T)
        else:
            squares, turn = np.linalg.eigh(centred.T @ centred)
            vectors = centred @ turn / np.sqrt(np.maximum(squares, 1e-12))
        squares = np.maximum(squares, 0)
        kept = squares > 1e-9 * max(float(squares.max()), 1e-12)
        self._vectors, squares = vectors[:, kept].astype(np.float32), squares[kept]
        self._shrunk = (squares / (squares + max(float(squares.sum()) / len(rows), 1e-12))).astype(np.float32)
        self._leverage = (self._vectors**2) @ self._shrunk + 1 / len(rows)

    def left_out(self, sides: np.ndarray) -> np.ndarray:
        """Return the answer (n, k) for each row by a regression on all others, for k columns of sides (n, k)."""
        mean = sides.mean(axis=0)
        fitted = self._vectors @ (self._shrunk[:, None] * (self._vectors.T @ (sides - mean))) + mean
        return np.asarray(sides - (sides - fitted) / (1 - self._leverage)[:, None])


def _areas(answers: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve of each column of answers (n, k); ties count half."""
    from scipy.stats import rankdata

    ranks = rankdata(np.round(answers, _ROUNDED), axis=0)
    new = sides.sum(axis=0)
    return np.asarray(((ranks * sides).sum(axis=0) - new * (new + 1) / 2) / (new * (len(sides) - new)))


def _distances(rows: np.ndarray) -> np.ndarray:
    squares = (rows**2).sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(squares[:, None] + squares - 2 * (rows @ rows.T), 0)))


def _energies(distances: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Return the energy distance of each column of sides (n, k), for distances (n, n)."""
    new = sides.sum(axis=0)
    weights = sides / new - (1 - sides) / (len(sides) - new)
    return np.asarray(-(weights * (distances @ weights)).sum(axis=0, dtype=np.float64))


def _p_of_largest(statistics: np.ndarray) -> float:
    """Return the p-value of the largest of several standardised statistics (k, permutations), the real ones first."""
    spread = np.maximum(statistics.std(axis=1, keepdims=True), 10.0**-_ROUNDED)
    largest = np.round((statistics - statistics.mean(axis=1, keepdims=True)) / spread, _ROUNDED).max(axis=0)
    return float((largest >= largest[0]).mean())


def _standardised(answers: np.ndarray, sides: np.ndarray) -> np.ndarray:
    reference = answers[sides == 0]
    spread = float(reference.std())
    raised = answers[sides == 1] - reference.mean()
    return np.asarray(raised / spread if spread > 10.0**-_ROUNDED else np.zeros_like(raised), np.float32)
