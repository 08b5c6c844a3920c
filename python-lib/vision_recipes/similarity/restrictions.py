"""Which pairs of pictures count: the same value in some columns (a shop), different ones in others (a customer)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from vision_recipes.dataset.cell_text import column_text

MISSING = -1


@dataclass(frozen=True)
class Codes:
    """The values of some rows as numbers: `same` int64 (n,) of all columns together, `different` int64 (columns, n).

    Missing ones are MISSING: it is not known whether they are the same or different, so that no pair counts.
    """

    same: np.ndarray
    different: np.ndarray

    def __len__(self) -> int:
        return len(self.same)

    @property
    def missing(self) -> np.ndarray:
        """Return a mask (n,) of the rows in which a value is missing."""
        return np.asarray((self.same == MISSING) | (self.different == MISSING).any(axis=0))

    def take(self, rows: np.ndarray) -> Codes:
        """Return the codes of some rows."""
        return Codes(self.same[rows], self.different[:, rows])


@dataclass(frozen=True)
class Restrictions:
    """Which pairs of a query and a searched row count."""

    queries: Codes
    searched: Codes

    def exclude(self, cosines: np.ndarray, row: int, column: int) -> None:
        """Set pairs that do not count to -inf; the block's corner is that query and that searched row."""
        one = self.queries.take(np.arange(row, row + cosines.shape[0]))
        other = self.searched.take(np.arange(column, column + cosines.shape[1]))
        if (one.same.any() or other.same.any()) or len(one.different):
            cosines[~counting(one, other)] = -np.inf

    def counts(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return a mask of the pairs that count, pair by pair."""
        one, other = self.queries.take(rows), self.searched.take(columns)
        return _agree(one.same, other.same, one.different, other.different)


def counting(one: Codes, other: Codes) -> np.ndarray:
    """Return a mask (rows of one, rows of the other) of the pairs that count."""
    return _agree(one.same[:, None], other.same, one.different[:, :, None], other.different[:, None])


def _agree(one: np.ndarray, other: np.ndarray, mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    agree = (one == other) & (one != MISSING) & (other != MISSING)
    for value, another in zip(mine, theirs, strict=True):
        agree &= (value != another) & (value != MISSING) & (another != MISSING)
    return np.asarray(agree)


def encode(
    tables: Sequence[Mapping[str, Sequence[Any]]], counts: Sequence[int], same: Sequence[str], different: Sequence[str]
) -> list[Codes]:
    """Return the codes of each table's cells, `counts` rows each; the same text has the same code in all of them."""
    coded = {name: _codes([table[name] for table in tables]) for name in (*same, *different)}
    together = np.zeros(sum(counts), np.int64)
    for name in same:
        missing = (together == MISSING) | (coded[name] == MISSING)
        _, together = np.unique(np.stack([together, coded[name]]), axis=1, return_inverse=True)
        together[missing] = MISSING
    apart = np.array([coded[name] for name in different], np.int64).reshape(len(different), sum(counts))
    ends = np.cumsum([0, *counts])
    return [Codes(together[start:end], apart[:, start:end]) for start, end in pairwise(ends)]


def _codes(columns: Sequence[Sequence[Any]]) -> np.ndarray:
    """Return the cells of a column of each table as numbers, int64 (n,) of all tables, MISSING where they are empty."""
    numbers = dict[str | None, int]({None: MISSING})
    texts = (text(cell) for cells in columns for text in [column_text(cells)] for cell in cells)
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)
