"""The pictures through one network, a part after the other, each picture once for all candidates that use it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.mapped_arrays import MappedRows, RowWriter
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.model_selection.sampling import Sample
from vision_recipes.training.features import FeatureSource
from vision_recipes.training_settings import RetrainSettings

_WARMING_UP = 16
"""Pictures at the start of a pass that are not timed."""


class FeaturePass:
    """The features of the pictures read so far; `digests` holds the SHA-256 of each that can be read.

    `unreadable` has the reason of the others.
    """

    def __init__(self, source: FeatureSource, *, keep_pixels: bool = False) -> None:
        self.source = source
        self.digests: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}
        self.seconds = 0.0
        self._keep_pixels = keep_pixels
        self._features: list[np.ndarray] = []
        self._pixels: list[MappedRows] = []
        self._places: dict[str, tuple[int, int]] = {}
        self._timed: tuple[int, float] = (0, 0.0)

    def extend(self, paths: Sequence[str]) -> None:
        """Read the pictures with these paths that were not read before, and compute their features."""
        new = [path for path in paths if path not in self._places and path not in self.unreadable]
        if not new:
            return
        started, part = time.perf_counter(), len(self._features)
        features = RowWriter(self.source.workdir / f"features-{part}")
        pixels = RowWriter(self.source.workdir / f"pixels-{part}") if self._keep_pixels else None
        request = Request(
            *(self.source.output, self.source.pooling, self.source.batch_size, "computed features of"),
            extra=encode_missing(self.source.base.extra_columns),
            pixels=new if self._keep_pixels else (),
        )
        arrivals, computed, row = [], 0, 0
        source = self.source
        for picture, vector in forward(source.pictures, new, source.base, source.compute, request, cache=source.cache):
            if vector is None:
                self.unreadable[picture.path] = picture.reason
                continue
            if picture.cached is None:
                computed += 1
                arrivals.append(time.perf_counter())
            features.append(vector)
            if pixels is not None and picture.pixels is not None:
                pixels.append(picture.pixels)
            self._places[picture.path], self.digests[picture.path] = (part, row), picture.digest
            row += 1
        self._features.append(features.array())
        if pixels is not None:
            self._pixels.append(MappedRows(pixels.array()))
        self._note_speed(arrivals, len(new))
        self.seconds += time.perf_counter() - started

    @property
    def pictures_per_second(self) -> float | None:
        """How fast pictures were read and computed; None when too few were computed rather than cached."""
        count, seconds = self._timed
        return count / seconds if count and seconds > 0 else None

    def features(self, paths: Sequence[str], *, several: bool) -> np.ndarray:
        """Return features float32 (n, d) of pictures, in the order given: the last layer's, or those of several."""
        width = self.source.base.feature_layer.size if self.source.several and not several else None
        places = np.array([self._places[path] for path in paths]).reshape(-1, 2)
        columns = [part.shape[1] for part in self._features if len(part)]
        found = np.empty((len(paths), columns[0] if width is None else width), np.float32)
        for number, part in enumerate(self._features):
            rows = np.flatnonzero(places[:, 0] == number)
            if len(rows):
                found[rows] = part[places[rows, 1], :width]
        return found

    def with_copies(self, sample: Sample, settings: RetrainSettings, *, several: bool) -> np.ndarray:
        """Return features of each picture and then of its augmented copies, ((1 + copies) * n, d)."""
        from vision_recipes.training.augmented_features import augmented_features

        pixels = RowWriter(self.source.workdir / f"pixels-of-{len(sample)}")
        for part, row in (self._places[path] for path in sample.paths):
            pixels.append(self._pixels[part][row])
        features = self.features(sample.paths, several=self.source.several)
        images = replace(
            LabelledImages.of_features(features, sample.targets, sample.classes),
            paths=sample.paths,
            digests=[self.digests[path] for path in sample.paths],
            pixels=MappedRows(pixels.array()),
        )
        found = augmented_features(self.source, images, settings)
        return found if several == self.source.several else found[:, : self.source.base.feature_layer.size]

    def _note_speed(self, arrivals: Sequence[float], read: int) -> None:
        """Add the time of pictures that were all computed, after the first ones, which wait for the start."""
        if len(arrivals) < 2 * _WARMING_UP or len(arrivals) < 0.9 * read:
            return
        count, seconds = self._timed
        self._timed = count + len(arrivals) - _WARMING_UP, seconds + arrivals[-1] - arrivals[_WARMING_UP - 1]
