"""Which pictures a new model keeps, with the finished network's features of them, predictions and thumbnails."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import TRAIN, VALID
from vision_recipes.images.reading import cpu_count
from vision_recipes.images.webp import encode_webp
from vision_recipes.metrics import softmax
from vision_recipes.model_folder.ood import OodDetector, ood_scores
from vision_recipes.model_folder.reference_pictures import (
    LARGEST_THUMBNAIL,
    LONGEST_PATH,
    SIDE,
    ReferencePictures,
    most_pictures,
)
from vision_recipes.pictures import Picture
from vision_recipes.wording import counted

if TYPE_CHECKING:
    from vision_recipes.training_settings import RetrainSettings

THUMBNAILS, NOTHING = "thumbnails", "nothing"
"""Values of keep_pictures; the third, "features", is all but thumbnails."""

MOST_THUMBNAILS = 1000
"""How many thumbnails are made, so that they take a few hundredths of a training's time."""

_FASTEST = 0
_BLOCK = 256


class Thumbnails:
    """Thumbnails of pictures that pass by, made by threads of their own; few pictures wait for them."""

    def __init__(self, paths: Collection[str]) -> None:
        """Make thumbnails of the pictures with these paths."""
        self._paths = set(paths)
        self._pool = ThreadPoolExecutor(cpu_count(), "thumbnails")
        self._started: deque[tuple[str, Future[bytes]]] = deque()
        self._made: dict[str, bytes] = {}

    def add(self, picture: Picture) -> None:
        """Take a picture that passes by, if it is one of those and has its pixels."""
        if picture.path in self._paths and picture.pixels is not None:
            self._started.append((picture.path, self._pool.submit(encode_webp, picture.pixels, SIDE, _FASTEST)))
            if len(self._started) > 2 * cpu_count():
                self._finish_first()

    def all(self) -> dict[str, bytes]:
        """Return the thumbnails by path, once all are made; those of unusual size are left out."""
        while self._started:
            self._finish_first()
        return self._made

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _finish_first(self) -> None:
        path, made = self._started.popleft()
        content = made.result()
        if len(content) <= LARGEST_THUMBNAIL:
            self._made[path] = content


def thumbnail_paths(labels: Mapping[str, str], settings: RetrainSettings) -> set[str]:
    """Return the paths of the pictures to make thumbnails of, spread over the labels; none if the settings say so."""
    if settings.keep_pictures != THUMBNAILS:
        return set()
    paths = list(labels)
    numbers = {label: number for number, label in enumerate(sorted(set(labels.values())))}
    targets = np.array([numbers[label] for label in labels.values()], np.int64)
    return {paths[row] for row in _spread(targets, MOST_THUMBNAILS, settings.random_seed)}


@dataclass
class Kept:
    """The `rows` (k,) of the pictures to keep, in order, and how many of their first features, `width`.

    `logits` float32 (k, classes) are those that the network gives them, once there are any.
    """

    rows: np.ndarray
    width: int
    logits: np.ndarray

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the rows a few at a time, so that little of long vectors is in memory."""
        for start in range(0, len(self.rows), _BLOCK):
            yield self.rows[start : start + _BLOCK]


def choose_kept(images: LabelledImages, width: int, thumbnails: Mapping[str, bytes], settings: RetrainSettings) -> Kept:
    """Return the pictures to keep with `width` features each; none if the settings say so.

    They are spread over the classes of each side, those with a thumbnail first.
    """
    most = 0 if settings.keep_pictures == NOTHING else most_pictures(width)
    short = np.array([len(path) <= LONGEST_PATH for path in images.paths])
    shown = np.array([path in thumbnails for path in images.paths])
    found = []
    for side in (TRAIN, VALID):
        rows = np.flatnonzero((images.sides == side) & short)
        found.append(rows[_spread(images.targets[rows], most, settings.random_seed, shown[rows])])
    rows = np.sort(np.concatenate(found)) if len(found[0]) else np.empty(0, np.int64)
    return Kept(rows, width, np.zeros((len(rows), len(images.classes)), np.float32))


def _spread(targets: np.ndarray, most: int, seed: int, first: np.ndarray | None = None) -> np.ndarray:
    """Return the numbers of at most so many rows, in order, as evenly from all classes as these have them.

    Those that `first` bool (n,) marks are taken before others of their class.
    """
    if len(targets) <= most:
        return np.arange(len(targets))
    order = np.random.default_rng(seed).permutation(len(targets))
    if first is not None:
        order = order[np.argsort(~first[order], kind="stable")]
    order = order[np.argsort(targets[order], kind="stable")]
    counts = np.unique(targets, return_counts=True)[1]
    place = np.arange(len(targets)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[np.argsort(place, kind="stable")[:most]])


def reference_pictures(
    images: LabelledImages, kept: Kept, detector: OodDetector | None, thumbnails: Mapping[str, bytes]
) -> ReferencePictures | None:
    """Return what the model keeps of its pictures, None if of none; `images` have the finished network's features."""
    rows, logits = kept.rows, kept.logits
    if not len(rows):
        return None
    paths = tuple(images.paths[row] for row in rows)
    probabilities = softmax(logits.astype(np.float64))
    scores = np.full(len(rows), np.nan, np.float32)
    features = np.empty((len(rows), kept.width), np.float32)
    for number, block in enumerate(kept.blocks()):
        place = slice(number * _BLOCK, number * _BLOCK + len(block))
        vectors = np.asarray(images.features[block])
        features[place] = vectors[:, : kept.width]
        if detector is not None:
            scores[place] = ood_scores(detector.evidence(vectors), logits[place])
    return ReferencePictures(
        *(paths, images.targets[rows], images.sides[rows].astype(np.uint8), features),
        *(logits.argmax(axis=1), probabilities.max(axis=1).astype(np.float32), scores),
        tuple(thumbnails.get(path, b"") for path in paths),
    )


def described(kept: ReferencePictures) -> str:
    """Return in words what a model keeps of its pictures."""
    shown = sum(map(bool, kept.thumbnails))
    small = f", with thumbnails of {SIDE} pixels of {shown:,}" if shown else ", without thumbnails"
    sides = (
        counted(len(kept.rows(side)), f"{name} picture") for side, name in ((TRAIN, "training"), (VALID, "validation"))
    )
    return (
        f"the model keeps features, labels and paths of {' and '.join(sides)}{small}, for all who have its folder "
        "(keep_pictures)"
    )
