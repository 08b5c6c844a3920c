"""Folds for cross-validation: rows that belong together on one side, targets spread evenly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_recipes.dataset.cell_text import column_text
from vision_recipes.dataset.duplicates import find_duplicates
from vision_recipes.dataset.splits import group_folds, linked_by, merge_groups
from vision_recipes.errors import LabelsError

FOLDS, INNER_FOLDS = 5, 5
_REPEATED, _MOST_REPEATS = 600, 3
_MOST_COMPARED = 20_000
_BINS = 10


def group_rows(vectors: np.ndarray, rows: np.ndarray, cells: Sequence[Any] | None, seed: int) -> tuple[np.ndarray, int]:
    """Return the group of each row (n,), and how many rows are near-duplicates of another by their vectors.

    Rows with the same cell are one group, and so are near-duplicates; of more than 20,000 rows, those whose vectors are
    equal.
    """
    digests = [hashlib.blake2b(vectors[row].tobytes(), digest_size=16).hexdigest() for row in rows]
    if len(rows) <= _MOST_COMPARED:
        pairs = [(pair.one, pair.other) for pair in find_duplicates(vectors[rows], digests, seed)]
    else:
        pairs = linked_by(digests)
    alike = {row for pair in pairs if pair[0] != pair[1] for row in pair}
    given = [] if cells is None else linked_by([column_text(cells)(cell) for cell in cells])
    return merge_groups(len(rows), pairs, given), len(alike)


def draw_folds(values: np.ndarray, groups: np.ndarray, seed: int, classes: int) -> list[np.ndarray]:
    """Return the fold (n,) of each row, once for each repetition: few rows are split several times.

    Raises LabelsError when all rows are one group.
    """
    count = len(np.unique(groups))
    if count < 2:
        raise LabelsError(
            "All rows belong to one group, or are copies of one another, so nothing is left to judge a model by. Check "
            "group_column, or add rows of others."
        )
    targets = values if classes else _bins(values)
    repeats = min(_MOST_REPEATS, max(1, _REPEATED // len(values)))
    return [group_folds(targets, groups, min(FOLDS, count), seed + repeat) for repeat in range(repeats)]


def inner_folds(values: np.ndarray, groups: np.ndarray, seed: int, classes: int) -> np.ndarray:
    """Return the fold (n,) of rows to train on, for predictions of each by a model that has not seen it."""
    count = len(np.unique(groups))
    if count < 2:
        return np.zeros(len(values), int)
    return group_folds(values if classes else _bins(values), groups, min(INNER_FOLDS, count), seed)


def _bins(values: np.ndarray) -> np.ndarray:
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return np.asarray(ranks * _BINS // len(values))
