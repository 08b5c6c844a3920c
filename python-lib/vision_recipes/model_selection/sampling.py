"""The order in which pictures are used, and the folds that all candidates share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset import duplicates
from vision_recipes.dataset.column_encoding import as_number
from vision_recipes.dataset.splits import TRAIN, WORDS, group_folds, linked_by, merge_groups
from vision_recipes.errors import LabelsError

FOLDS = 5
_REPEATED_PREDICTIONS, _MOST_REPEATS = 1000, 5
_FEWEST_NUMBERS = 20
_MOST_PICTURES, _FEWEST_PICTURES, _FEWEST_PER_CLASS, _GROWTH = 4000, 200, 10, 4


@dataclass(frozen=True)
class Sample:
    """The pictures of a round with labels: `targets` int64 (n,) are numbers of `classes`; `groups` stay in one fold.

    `folds` holds, for each repeat, the fold (n,) of each row.
    """

    paths: Sequence[str]
    classes: Sequence[str]
    targets: np.ndarray
    groups: np.ndarray
    folds: Sequence[np.ndarray]

    def __len__(self) -> int:
        return len(self.paths)

    def one_hot(self) -> np.ndarray:
        """Return the target probabilities float32 (n, classes)."""
        found: np.ndarray = np.eye(len(self.classes), dtype=np.float32)[self.targets]
        return found


def comparable(labels: Mapping[str, str], split: Mapping[str, str | None]) -> dict[str, str]:
    """Return the labels of the pictures that may be compared on: none that a split keeps for validation or test."""
    if not split:
        return dict(labels)
    sides = {path: WORDS.get(str(split.get(path)).strip().lower()) for path in labels}
    return {path: label for path, label in labels.items() if sides[path] == TRAIN}


def require_no_quantity(labels: Mapping[str, str]) -> None:
    """Raise LabelsError for labels that are numbers, most of them different: a quantity rather than classes."""
    distinct = set(labels.values())
    if len(distinct) > max(_FEWEST_NUMBERS, len(labels) / 2) and all(
        as_number(label) is not None for label in distinct
    ):
        shown = ", ".join(sorted(distinct)[:4])
        raise LabelsError(
            f"The labels are {len(distinct):,} different numbers on {len(labels):,} pictures ({shown} …), so they look "
            "like a quantity rather than classes. vision-extract and vision-train-features learn to predict a number; "
            "to compare networks on classes, choose another col_label."
        )


def stratified_order(labels: Mapping[str, str], seed: int) -> list[str]:
    """Return the paths in an order drawn by the seed, of which each beginning has all labels in proportion."""
    paths = sorted(labels)
    by_label: dict[str, list[int]] = {}
    generator = np.random.default_rng(seed)
    for place in generator.permutation(len(paths)):
        by_label.setdefault(labels[paths[place]], []).append(int(place))
    keys = np.empty(len(paths))
    for label in sorted(by_label):
        places = by_label[label]
        keys[places] = (np.arange(len(places)) + generator.random()) / len(places)
    return [paths[place] for place in np.argsort(keys, kind="stable")]


def round_sizes(pictures: int, classes: int, most: int = 0) -> list[int]:
    """Return how many pictures each round uses, each time four times as many; the last one `most`, 0 = 4,000.

    The first has at least 200 pictures, and ten of a class on average.
    """
    sizes = [min(pictures, most or _MOST_PICTURES)]
    while sizes[0] // _GROWTH >= max(_FEWEST_PICTURES, _FEWEST_PER_CLASS * classes):
        sizes.insert(0, sizes[0] // _GROWTH)
    return sizes


def draw_sample(
    paths: Sequence[str],
    labels: Mapping[str, str],
    links: Mapping[str, str | None],
    near_duplicates: Sequence[duplicates.Pair],
    seed: int,
) -> Sample:
    """Return the pictures with classes, groups and folds; `links` holds the cell of each in the group column."""
    classes, targets = np.unique([labels[path] for path in paths], return_inverse=True)
    linked = [(pair.one, pair.other) for pair in near_duplicates]
    groups = merge_groups(len(paths), linked, linked_by([links.get(path) for path in paths]))
    distinct = len(np.unique(groups))
    repeats = int(np.clip(_REPEATED_PREDICTIONS // max(len(paths), 1), 1, _MOST_REPEATS))
    number = min(FOLDS, distinct)
    folds = [group_folds(targets, groups, number, seed + repeat) for repeat in range(repeats)] if number > 1 else []
    return Sample(list(paths), [str(name) for name in classes], targets.astype(np.int64), groups, folds)
