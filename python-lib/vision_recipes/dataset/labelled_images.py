"""Labelled pictures as a dataset: all that training knows of each, in arrays of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vision_recipes.dataset.mapped_arrays import MappedRows
from vision_recipes.dataset.splits import TRAIN
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import ExtraColumn


@dataclass
class ReadPictures:
    """What reading the labelled pictures gave: those that can be used, without their pixels, and those that cannot.

    `features` is float32 (n, d), one row for each of `usable`. `pixels` is uint8 (n, height, width, 3) RGB at the
    network's size, None unless it was asked for. `several` is float32 (n, d + e): the features, and after them those of
    inner layers; None unless they were asked for. `thumbnails` are WEBP files by path, of those that were asked for.
    """

    usable: list[Picture] = field(default_factory=list)
    unreadable: list[Picture] = field(default_factory=list)
    features: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    pixels: MappedRows | None = None
    several: np.ndarray | None = None
    thumbnails: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelledImages:
    """One row per usable labelled picture.

    `classes` are the labels in the order of the network's outputs; `targets` int64 (n,) are numbers of classes.
    `digests` are the SHA-256 of the files in hex. `sides` (n,) holds TRAIN, VALID or TEST. Rows with the same number in
    `groups` (n,) show the same thing (near-duplicates, or the same cell in the group column) and are never separated.
    `extra` float32 (n, width) holds the encoded table `columns`. `weights` float32 (n,) say how much a row counts in
    training. `features` float32 (n, d) is the pooled output of the frozen network; `pixels` uint8 (n, height, width, 3)
    are RGB at the network's size, None when nothing needs them. `several` float32 (n, d + e) has those of inner layers
    after the features, None when only the feature layer is used. All three may lie on disk.
    """

    paths: Sequence[str]
    digests: Sequence[str]
    classes: tuple[str, ...]
    targets: np.ndarray
    sides: np.ndarray
    groups: np.ndarray
    extra: np.ndarray
    weights: np.ndarray
    features: np.ndarray
    pixels: MappedRows | None = None
    columns: tuple[ExtraColumn, ...] = ()
    several: np.ndarray | None = None

    @classmethod
    def of_features(
        cls, features: np.ndarray, targets: np.ndarray, classes: Sequence[str], groups: np.ndarray | None = None
    ) -> LabelledImages:
        """Return a dataset of features and targets alone, all of it on the training side."""
        count = len(targets)
        return cls(
            paths=[str(row) for row in range(count)],
            digests=[""] * count,
            classes=tuple(classes),
            targets=targets,
            sides=np.full(count, TRAIN),
            groups=np.arange(count) if groups is None else groups,
            extra=np.zeros((count, 0), np.float32),
            weights=np.ones(count, np.float32),
            features=features,
        )

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def labels(self) -> list[str]:
        """The label of each row."""
        return [self.classes[target] for target in self.targets]

    def rows(self, side: int) -> np.ndarray:
        """Return the numbers of the rows on a side of the split."""
        return np.flatnonzero(self.sides == side)

    def subset(self, side: int) -> LabelledImages:
        """Return the rows on a side of the split."""
        return self.take(self.rows(side))

    def take(self, rows: np.ndarray) -> LabelledImages:
        """Return some of the rows, in the order given; features are copied into memory, pixels are not."""
        return replace(
            self,
            paths=[self.paths[row] for row in rows],
            digests=[self.digests[row] for row in rows],
            targets=self.targets[rows],
            sides=self.sides[rows],
            groups=self.groups[rows],
            extra=self.extra[rows],
            weights=self.weights[rows],
            features=np.asarray(self.features[rows]),
            pixels=None if self.pixels is None else self.pixels.take(rows),
            several=None if self.several is None else np.asarray(self.several[rows]),
        )

    def one_hot(self, smoothing: float = 0.0) -> np.ndarray:
        """Return target probabilities float32 (n, classes): 1 for the class, some of it spread evenly by smoothing."""
        spread = np.full((len(self), len(self.classes)), smoothing / len(self.classes), np.float32)
        spread[np.arange(len(self)), self.targets] += np.float32(1 - smoothing)
        return spread


def class_weights(targets: np.ndarray, classes: int, mode: str) -> np.ndarray:
    """Return a weight per row, mean 1: all equal ("none"), or each class with the same sum ("auto")."""
    if mode == "none":
        return np.ones(len(targets), np.float32)
    counts = np.bincount(targets, minlength=classes)
    present = int((counts > 0).sum())
    return (len(targets) / (present * counts[targets])).astype(np.float32)
