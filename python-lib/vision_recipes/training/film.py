"""The pixels of all usable pictures on the local disk, for training that looks at them in every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload

import numpy as np

from vision_recipes.dataset.mapped_arrays import RowWriter
from vision_recipes.dataset.splits import TRAIN, VALID
from vision_recipes.images.reading import read
from vision_recipes.training.features import require_same
from vision_recipes.training.lessons import Lesson
from vision_recipes.training.shots import Album, Shot, Shots

_BATCH = 32


class Film:
    """Every picture of a lesson decoded once at the network's size, uint8 (n, height, width, 3), mapped from disk."""

    def __init__(self, lesson: Lesson) -> None:
        self._lesson, source = lesson, lesson.source
        frames = RowWriter(source.workdir / "pixels")
        paths = [picture.path for picture in lesson.pictures]
        for before, now in zip(lesson.pictures, read(source.pictures, paths, source.base.preprocessing), strict=True):
            require_same(before, now)
            assert now.pixels is not None
            frames.append(now.pixels)
        self.frames = frames.array()

    def shots(self) -> Shots:
        """Return the pictures to train on and to judge by."""
        return Shots(self._take(self._lesson.rows(TRAIN)), self._take(self._lesson.rows(VALID)))

    def logits(self, network: Any, rows: np.ndarray) -> np.ndarray:
        """Return the logarithms of a keras.Model's probabilities for some pictures, float32 (n, classes)."""
        return np.log(np.maximum(self._run(network, rows), 1e-30))

    def features(self, network: Any, rows: np.ndarray) -> np.ndarray:
        """Return the pooled features from which a keras.Model's head makes its scores, float32 (n, features)."""
        import keras

        pooled = keras.Model(network.inputs, network.get_layer("head_pooling").output)
        return self._run(pooled, rows)

    def _run(self, network: Any, rows: np.ndarray) -> np.ndarray:
        import keras

        album = Album(self._take(rows), self._lesson.source.base.preprocessing, len(self._lesson.labels))
        scores = []
        for start in range(0, len(rows), _BATCH):
            batch = album.batch(np.arange(start, min(start + _BATCH, len(rows))))
            inputs = batch.pixels if batch.extra is None else [batch.pixels, batch.extra]
            scores.append(keras.ops.convert_to_numpy(network(inputs, training=False)))
        return np.concatenate(scores).astype(np.float32)

    def _take(self, rows: np.ndarray) -> _Scene:
        return _Scene(self._lesson, self.frames, rows, self._lesson.examples(TRAIN).weights)


class _Scene(Sequence[Shot]):
    """Some pictures of a film; pixels are read when asked for."""

    def __init__(self, lesson: Lesson, frames: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> None:
        self._lesson, self._frames, self._rows = lesson, frames, rows
        self._weights = dict(zip(lesson.rows(TRAIN).tolist(), weights.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Shot: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Shot]: ...
    def __getitem__(self, place: int | slice) -> Shot | Sequence[Shot]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        row = int(self._rows[place])
        picture = replace(self._lesson.pictures[row], pixels=np.asarray(self._frames[row]))
        extra = self._lesson.extra[row] if self._lesson.columns else None
        return Shot(picture, int(self._lesson.targets[row]), extra, self._weights.get(row, 1.0))
