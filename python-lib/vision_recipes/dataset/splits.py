"""Which pictures train and which judge: stratified, seeded, and what belongs together stays on one side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vision_recipes.errors import LabelsError

TRAIN, VALID, TEST = 0, 1, 2
SIDES = ("train", "validation", "test")
WORDS = {
    **dict.fromkeys(("train", "training", "learn", "fit"), TRAIN),
    **dict.fromkeys(("valid", "validation", "validate", "val", "dev", "eval"), VALID),
    **dict.fromkeys(("test", "testing", "holdout", "hold-out"), TEST),
}
"""What a split column may say, in any case."""

_SHOWN = 12


@dataclass(frozen=True)
class Split:
    """The side of each picture (TRAIN, VALID or TEST), and what is worth telling about it."""

    sides: np.ndarray
    remarks: tuple[str, ...] = field(default=())

    def rows(self, side: int) -> np.ndarray:
        """Return the numbers of the pictures on a side."""
        return np.flatnonzero(self.sides == side)


def draw_split(targets: np.ndarray, groups: np.ndarray, names: Sequence[str], ratio: float, seed: int) -> Split:
    """Return a stratified split: of each class a part of about 1 - `ratio` judges, at least one picture if it has two.

    Pictures of one `groups` number stay on one side, and each group has the same chance to judge. A class whose
    pictures cannot be parted trains only, and is named. Raises LabelsError when no class can be parted.
    """
    counts = np.bincount(targets, minlength=len(names))
    wanted = np.clip(np.rint(counts * (1 - ratio)), np.minimum(counts - 1, 1), np.maximum(counts - 1, 0))
    draft = _Draft(targets, wanted.astype(int), counts.copy(), np.zeros(len(targets), bool))
    parts = _shuffled_groups(groups, seed)
    for rows in parts:
        draft.offer(rows)
    if not draft.valid.any():
        for rows in sorted(parts, key=len):
            if draft.offer(rows, anyway=True):
                break
    if not draft.valid.any():
        few = ", ".join(f"{name!r} {count}" for name, count in list(zip(names, counts, strict=True))[:_SHOWN])
        raise LabelsError(
            f"No picture can be set aside to judge the training: no class has two pictures that may be parted ({few}). "
            "Add pictures, or check that the label column holds classes and not identifiers."
        )
    split = Split(np.where(draft.valid, VALID, TRAIN))
    return Split(split.sides, tuple(_remarks(split, targets, names)))


@dataclass
class _Draft:
    """A split under way: how many pictures of each class are still wanted to judge, and how many are left to train."""

    targets: np.ndarray
    wanted: np.ndarray
    left: np.ndarray
    valid: np.ndarray

    def offer(self, rows: np.ndarray, *, anyway: bool = False) -> bool:
        """Take a group to judge if that brings the split nearer to what is wanted, and return whether it was taken."""
        classes, counts = np.unique(self.targets[rows], return_counts=True)
        gain = int(np.abs(self.wanted[classes]).sum() - np.abs(self.wanted[classes] - counts).sum())
        if (gain <= 0 and not anyway) or (self.left[classes] <= counts).any():
            return False
        self.valid[rows] = True
        self.wanted[classes] -= counts
        self.left[classes] -= counts
        return True


def read_split(cells: Sequence[str], targets: np.ndarray, names: Sequence[str], column: str) -> Split:
    """Return the split that a column of a table gives, by WORDS.

    Raises LabelsError for other words, and when a class has no picture to train on or nothing judges.
    """
    words = [cell.strip().lower() for cell in cells]
    unknown = Counter(cell[:60] for cell, word in zip(cells, words, strict=True) if word not in WORDS)
    if unknown:
        found = ", ".join(f"{word!r} ({count} rows)" for word, count in unknown.most_common(_SHOWN))
        raise LabelsError(
            f"split_column {column!r} holds {found}; it may hold train, validation or test, or be empty to leave the "
            "picture out."
        )
    split = Split(np.array([WORDS[word] for word in words]))
    trained = set(targets[split.rows(TRAIN)].tolist())
    unseen = [name for number, name in enumerate(names) if number not in trained]
    if unseen or not len(split.rows(VALID)):
        raise LabelsError(
            f"split_column {column!r} puts no usable picture into "
            + (
                f"training for {_list(unseen)}. Set some to 'train'"
                if unseen
                else "validation. Set some to 'validation'"
            )
            + ", or leave the cells of these pictures empty."
        )
    return Split(split.sides, tuple(_remarks(split, targets, names)))


def merge_groups(count: int, *links: Sequence[tuple[int, int]] | np.ndarray) -> np.ndarray:
    """Return a group number for each of `count` pictures, the same for all that are linked, directly or by others."""
    parent = np.arange(count)

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    for pairs in links:
        for one, other in pairs:
            first, second = sorted((root(int(one)), root(int(other))))
            parent[second] = first
    return np.array([root(row) for row in range(count)], dtype=np.int64)


def linked_by(cells: Sequence[str | None]) -> list[tuple[int, int]]:
    """Return links between pictures with the same cell; empty cells link nothing."""
    first: dict[str, int] = {}
    return [(first.setdefault(cell, row), row) for row, cell in enumerate(cells) if cell is not None]


def _shuffled_groups(groups: np.ndarray, seed: int) -> list[np.ndarray]:
    """Return the rows of each group, in an order drawn by the seed."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return [parts[place] for place in np.random.default_rng(seed).permutation(len(parts))]


def _remarks(split: Split, targets: np.ndarray, names: Sequence[str]) -> Iterator[str]:
    counts = np.bincount(targets, minlength=len(names))
    judged = np.bincount(targets[split.rows(VALID)], minlength=len(names))
    single = [name for name, count in zip(names, counts, strict=True) if count == 1]
    if single:
        yield f"{len(single)} classes have one picture; they are trained on, not judged: {_list(single)}"
    unjudged = [name for name, count, seen in zip(names, counts, judged, strict=True) if count > 1 and not seen]
    if unjudged:
        yield f"{len(unjudged)} classes have no picture to judge them by: {_list(unjudged)}"
    tiny = [name for name, count in zip(names, counts, strict=True) if 1 < count < 10]
    if tiny:
        yield f"{len(tiny)} classes have fewer than 10 pictures, so their accuracy says little: {_list(tiny)}"


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(repr(name) for name in names[:_SHOWN]) + more
