"""Pairs of copies: proposed by similar vectors or the same bytes, confirmed by perceptual hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vision_recipes.images.perceptual_hash import SAME, agreements
from vision_recipes.similarity.nearest import cosines_of
from vision_recipes.similarity.picture_set import PictureSet
from vision_recipes.similarity.restrictions import Codes, Restrictions
from vision_recipes.training.blas_threads import blas_threads

EXACT, NEAR, SAME_VECTOR, SINGLE = "exact", "near", "same_vector", "single"

LEAST_SIMILARITY = 0.3
"""The least similarity of two vectors for a comparison of their pictures.

Of the copies of 500 photos, those in other hues are the least similar: one in a hundred has less.
"""

CERTAIN, LEAST_FOR_UNCERTAIN = 0.9, 0.6
"""An agreement of less than CERTAIN counts only where the vectors are at least so similar.

Crops are most of the copies that agree little, and change the vectors little: of the copies of 500 photos below
CERTAIN, two in 67 have less than 0.8. Drawn things of the same outline on other grounds have about 0.5.
"""

MOST_PROPOSED = 10
"""How many nearest neighbours of a picture may be its copies; others join a group through its representative."""

_AT_ONCE = 256


@dataclass(frozen=True)
class Match:
    """What makes a pair copies: EXACT, NEAR or SAME_VECTOR, and how well the two pictures agree, at most 1."""

    kind: str
    agreement: float


Pairs = dict[tuple[int, int], Match]
"""Copies by their two rows, the smaller one first."""


class Comparison:
    """Says which pictures are copies; rows count through all sets, one after the other.

    Pictures that were not looked at are copies only of those with the same vector that were not looked at either.
    """

    def __init__(self, sets: Sequence[PictureSet], units: Sequence[np.ndarray], codes: Sequence[Codes]) -> None:
        self.sets, self._units = sets, units
        self.ends = np.cumsum([0, *map(len, sets)])
        self.keys = [key for one in sets for key in _keys(one)]
        self._seen = np.array([bool(digest) for one in sets for digest in one.digests or [""] * len(one)])
        self.codes = Codes(np.concatenate([code.same for code in codes]), np.hstack([code.different for code in codes]))
        self._restrictions = Restrictions(self.codes, self.codes)

    def __len__(self) -> int:
        return int(self.ends[-1])

    def place(self, row: int) -> tuple[PictureSet, int]:
        """Return the set of a row, and its row there."""
        number = int(np.searchsorted(self.ends, row, side="right")) - 1
        return self.sets[number], row - int(self.ends[number])

    def copies(self, ones: np.ndarray, others: np.ndarray) -> Pairs:
        """Return the copies among pairs of rows, int64 (n,) each; a pair that the restrictions exclude is none."""
        pairs = np.unique(np.stack([np.minimum(ones, others), np.maximum(ones, others)], axis=1), axis=0)
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        pairs = pairs[self._restrictions.counts(pairs[:, 0], pairs[:, 1])]
        same = np.fromiter((self.keys[one] == self.keys[other] for one, other in pairs), bool, len(pairs))
        found = {
            (int(one), int(other)): Match(EXACT if self._seen[one] else SAME_VECTOR, 1.0) for one, other in pairs[same]
        }
        pairs = pairs[~same & self._seen[pairs].all(axis=1)]
        with blas_threads(0):  # products are small
            agreement = np.maximum(
                self._agreements(pairs[:, 0], pairs[:, 1]), self._agreements(pairs[:, 1], pairs[:, 0])
            )
        confirmed = self._confirmed(pairs, agreement)
        for (one, other), value in zip(pairs[confirmed], agreement[confirmed], strict=True):
            found[int(one), int(other)] = Match(NEAR, min(float(value), 1.0))
        return found

    def _agreements(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return how well pictures agree with parts of others, pair by pair; each row's parts are made once."""
        values, order = np.zeros(len(ones), np.float32), np.argsort(ones, kind="stable")
        for places in _runs(ones[order]):
            some = order[places]
            for start in range(0, len(some), _AT_ONCE):
                part = some[start : start + _AT_ONCE]
                grids = np.stack([self._grid(row) for row in others[part]])
                values[part] = agreements(self._grid(ones[part[0]]), grids)
        return values

    def _confirmed(self, pairs: np.ndarray, agreement: np.ndarray) -> np.ndarray:
        """Return a mask of the pairs (n, 2) that agree, and whose vectors are similar where they agree little."""
        confirmed = agreement >= SAME
        uncertain = np.flatnonzero(confirmed & (agreement < CERTAIN))
        for start in range(0, len(uncertain), _AT_ONCE):
            some = uncertain[start : start + _AT_ONCE]
            ones, others = (np.stack([self._unit(row) for row in side]) for side in pairs[some].T)
            confirmed[some] = cosines_of(ones, others) >= LEAST_FOR_UNCERTAIN
        return confirmed

    def _unit(self, row: int) -> np.ndarray:
        number = int(np.searchsorted(self.ends, row, side="right")) - 1
        return np.asarray(self._units[number][row - int(self.ends[number])])

    def _grid(self, row: int) -> np.ndarray:
        one, place = self.place(row)
        assert one.grids is not None
        return np.asarray(one.grids[place])


def identical(keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of rows with the same key: each with the first one, and with the one before it."""
    first, last = dict[str, int](), dict[str, int]()
    pairs = list[tuple[int, int]]()
    for row, key in enumerate(keys):
        if key in first:
            pairs += [(first[key], row), (last[key], row)]
        first.setdefault(key, row)
        last[key] = row
    ones, others = np.array(pairs, np.int64).reshape(-1, 2).T
    return ones, others


def _keys(pictures: PictureSet) -> Iterator[str]:
    """Yield what exact copies have in common: the bytes of their file, or the vector where it was not read."""
    digests = pictures.digests or [""] * len(pictures)
    for row, digest in enumerate(digests):
        yield digest or f"vector {hashlib.sha256(np.ascontiguousarray(pictures.vectors[row]).tobytes()).hexdigest()}"


def _runs(values: np.ndarray) -> Iterator[slice]:
    """Yield the slices of equal values; `values` are sorted."""
    edges = np.flatnonzero(np.r_[True, values[1:] != values[:-1]]) if len(values) else np.empty(0, np.int64)
    for start, end in pairwise([*edges.tolist(), len(values)]):
        yield slice(start, end)
