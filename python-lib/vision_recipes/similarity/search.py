"""The nearest neighbours of every picture, and the pairs among them that may be copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from vision_recipes.similarity.copies import LEAST_SIMILARITY, MOST_PROPOSED, Comparison, identical
from vision_recipes.similarity.nearest import Neighbours, centre_of, nearest, unit_vectors
from vision_recipes.similarity.picture_set import PictureSet
from vision_recipes.similarity.restrictions import Codes, Restrictions


@dataclass(frozen=True)
class Searched:
    """The pictures whose neighbours are looked for, and those among which; the same, or two sets.

    `units` are the vectors of each at length 1, float32 (n, d), `codes` what restricts pairs.
    """

    sets: tuple[PictureSet, ...]
    units: tuple[np.ndarray, ...]
    codes: tuple[Codes, ...]

    @classmethod
    def of(cls, sets: tuple[PictureSet, ...], codes: tuple[Codes, ...], workdir: Path) -> Searched:
        """Return the sets with their unit vectors, in files of the folder."""
        centre = centre_of([one.vectors for one in sets])
        units = [unit_vectors(one.vectors, centre, workdir / f"units-{place}") for place, one in enumerate(sets)]
        return cls(sets, tuple(units), codes)

    def neighbours(self, most: int) -> Iterator[Neighbours]:
        """Yield the neighbours of the first set's pictures: in the second set, or in the first if it is alone."""
        return self._nearest(0, len(self.sets) - 1, most)

    def proposals(self, found: tuple[np.ndarray, np.ndarray], comparison: Comparison) -> tuple[np.ndarray, np.ndarray]:
        """Return pairs of rows, counted through all sets, that may be copies, those with the same key among them.

        `found` are the proposals of the neighbours that were written. Where a picture has more exact copies than it has
        neighbours, these hide others that are less alike; then the search is made again without exact copies.
        """
        parts = [identical(comparison.keys), found]
        if len(self.sets) > 1:
            within = self._nearest(0, 0, MOST_PROPOSED)
            parts.append(collect(within, 0))
        most = max(Counter(comparison.keys).values(), default=0)
        if most > MOST_PROPOSED:
            parts.append(self._without_copies(comparison))
        ones, others = zip(*parts, strict=True)
        return np.concatenate(ones), np.concatenate(others)

    def _nearest(self, queries: int, searched: int, most: int) -> Iterator[Neighbours]:
        restrictions = Restrictions(self.codes[queries], self.codes[searched])
        within = queries == searched
        return nearest(self.units[queries], self.units[searched], most, restrictions, within=within)

    def _without_copies(self, comparison: Comparison) -> tuple[np.ndarray, np.ndarray]:
        """Return proposals among the first picture of each key, per combination of restricting values."""
        codes, first = comparison.codes, dict[tuple[object, ...], int]()
        for row, key in enumerate(comparison.keys):
            first.setdefault((key, int(codes.same[row]), *codes.different[:, row].tolist()), row)
        rows = np.fromiter(first.values(), np.int64, len(first))
        limits = pairwise(comparison.ends)
        units = np.concatenate(
            [
                unit[rows[(rows >= low) & (rows < high)] - low]
                for unit, (low, high) in zip(self.units, limits, strict=True)
            ]
        )
        every = codes.take(rows)
        ones, others = collect(nearest(units, units, MOST_PROPOSED, Restrictions(every, every), within=True), 0)
        return rows[ones], rows[others]


def collect(found: Iterator[Neighbours], offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs among neighbours that may be copies; `offset` is added to the rows of the neighbours."""
    parts = [proposed(block, offset) for block in found]
    return tuple(np.concatenate(side) for side in zip(*parts, strict=True))  # type: ignore[return-value]


def proposed(block: Neighbours, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of a block that may be copies, as rows."""
    near = block.similarities[:, :MOST_PROPOSED] >= LEAST_SIMILARITY
    places, ranks = np.nonzero(near)
    return places + block.start, block.rows[places, ranks] + offset
