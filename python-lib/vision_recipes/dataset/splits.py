"""The training/validation/test split: stratified, seeded, with groups kept on one side; folds for cross-validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from vision_recipes.errors import LabelsError, listed
from vision_recipes.wording import counted

TRAIN, VALID, TEST = 0, 1, 2
SIDES = ("train", "validation", "test")
WORDS = {
    **dict.fromkeys(("train", "training", "learn", "fit"), TRAIN),
    **dict.fromkeys(("valid", "validation", "validate", "val", "dev", "eval"), VALID),
    **dict.fromkeys(("test", "testing", "holdout", "hold-out"), TEST),
}
"""What a cell of a split column may contain, in any case."""

_SHOWN = 12


def draw_split(targets: np.ndarray, groups: np.ndarray, names: Sequence[str], ratio: float, seed: int) -> np.ndarray:
    """Return the side of each row (n,): of each class about 1 - `ratio` for validation, at least one if it has two.

    Rows with the same number in `groups` stay on one side, and each group is equally likely to be held out. A class
    that cannot be split is used for training only. Raises LabelsError when no class can be split.
    """
    counts = np.bincount(targets, minlength=len(names))
    missing = np.clip(np.rint(counts * (1 - ratio)), np.minimum(counts - 1, 1), np.maximum(counts - 1, 0)).astype(int)
    left, valid = counts.copy(), np.zeros(len(targets), bool)

    def hold_out(rows: np.ndarray, *, always: bool = False) -> bool:
        """Move a group to validation if that brings the split nearer to its goal and leaves each class in training."""
        classes, sizes = np.unique(targets[rows], return_counts=True)
        gain = np.abs(missing[classes]).sum() - np.abs(missing[classes] - sizes).sum()
        if (gain <= 0 and not always) or (left[classes] <= sizes).any():
            return False
        valid[rows] = True
        missing[classes] -= sizes
        left[classes] -= sizes
        return True

    shuffled = _shuffled_groups(groups, seed)
    held_out = [hold_out(rows) for rows in shuffled]
    if not any(held_out) and not any(hold_out(rows, always=True) for rows in sorted(shuffled, key=len)):
        few = ", ".join(f"{name!r} {count}" for name, count in list(zip(names, counts, strict=True))[:_SHOWN])
        raise LabelsError(
            f"No picture can be held out for validation: no class has two pictures that can be separated ({few}). "
            "Add pictures, or check that the label column holds classes and not identifiers."
        )
    return np.where(valid, VALID, TRAIN)


def read_split(cells: Sequence[str], targets: np.ndarray, names: Sequence[str], source: str) -> np.ndarray:
    """Return the side of each row (n,) as `source`, such as a column of a table, gives it in WORDS.

    Raises LabelsError for other words, for a class without training pictures, and without validation pictures.
    """
    words = [cell.strip().lower() for cell in cells]
    unknown = Counter(cell[:60] for cell, word in zip(cells, words, strict=True) if word not in WORDS)
    if unknown:
        found = ", ".join(f"{word!r} ({counted(count, 'row')})" for word, count in unknown.most_common(_SHOWN))
        raise LabelsError(
            f"{source} contains {found}; use train, validation or test, or leave a cell empty to leave its picture out."
        )
    sides = np.array([WORDS[word] for word in words])
    trained = np.bincount(targets[sides == TRAIN], minlength=len(names))
    missing = [name for name, count in zip(names, trained, strict=True) if not count]
    if missing or VALID not in sides:
        side, word = (
            (f"training for {listed(map(repr, missing), _SHOWN)}", "train") if missing else ("validation", "validation")
        )
        raise LabelsError(
            f"{source} assigns no usable picture to {side}. Assign some to {word!r}, or leave these pictures out."
        )
    return sides


def merge_groups(count: int, *links: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return a group number int64 for each of `count` rows, the same for rows linked directly or through others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = np.array([pair for some in links for pair in some], np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs)), tuple(pairs.T)), (count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def linked_by(cells: Sequence[str | None]) -> list[tuple[int, int]]:
    """Return links between rows with the same cell; empty cells link nothing."""
    first: dict[str, int] = {}
    return [(first.setdefault(cell, row), row) for row, cell in enumerate(cells) if cell is not None]


def group_folds(targets: np.ndarray, groups: np.ndarray, folds: int, seed: int, every: int = 1) -> np.ndarray:
    """Return the fold of each row for cross-validation: groups kept together, classes spread evenly.

    Only one in `every` groups is used; the rows of the others have fold -1.
    """
    unique, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(unique))
    used = order[np.argsort(targets[first][order], kind="stable")][::every]
    fold = np.full(len(unique), -1)
    fold[used] = np.arange(len(used)) % folds
    return fold[inverse]


def _shuffled_groups(groups: np.ndarray, seed: int) -> list[np.ndarray]:
    """Return the rows of each group, in an order drawn by the seed."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return [parts[place] for place in np.random.default_rng(seed).permutation(len(parts))]


def split_remarks(sides: np.ndarray, targets: np.ndarray, names: Sequence[str]) -> Iterator[str]:
    """Yield sentences for people on the classes that cannot be evaluated, or hardly."""
    counts = np.bincount(targets, minlength=len(names))
    held_out = np.bincount(targets[sides == VALID], minlength=len(names))
    for found, (few, result) in (
        (counts == 1, ("one picture, which is used for training only", "not evaluated")),
        ((counts > 1) & (held_out == 0), ("no validation picture", "not evaluated")),
        ((counts > 1) & (counts < 10), ("fewer than 10 pictures", "hard to evaluate")),
    ):
        if found.any():
            named = [repr(name) for name, shown in zip(names, found, strict=True) if shown]
            have, pronoun = ("class has", "it is") if len(named) == 1 else ("classes have", "they are")
            yield f"{len(named)} {have} {few}, so {pronoun} {result}: {listed(named, _SHOWN)}"
