"""The frozen part of a network, computed once for each labelled picture and each of its augmented copies."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.dataset.feedback import SameBytes
from vision_recipes.dataset.labelled_images import ReadPictures
from vision_recipes.dataset.mapped_arrays import MappedRows, RowWriter
from vision_recipes.errors import PictureFolderError, listed
from vision_recipes.inference.engine import FEATURES, SEVERAL_FEATURES
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.model_folder.inner_layers import inner_layers
from vision_recipes.pictures import REASONS, Picture
from vision_recipes.settings import ComputeSettings
from vision_recipes.shards import WHOLE, Shard
from vision_recipes.stores import Store
from vision_recipes.training.reference_pictures import Thumbnails
from vision_recipes.wording import counted

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model
    from vision_recipes.model_folder.config import Layer

log = logging.getLogger("vision_recipes")

_SHOWN = 20


@dataclass(frozen=True)
class FeatureSource:
    """Where features come from: a folder of pictures and the network `base`; `workdir` is for files that are mapped.

    `pooling` is "avg", "max" or "none"; `batch_size` 0 = chosen. With `several`, the pooled outputs of inner layers are
    computed in the same pass. Features of a `shard` of the pictures go to the cache only (feature_shard).
    """

    pictures: Store
    base: Model
    workdir: Path
    compute: ComputeSettings
    pooling: str = "avg"
    batch_size: int = 0
    cache: Store | None = None
    several: bool = False
    shard: Shard = WHOLE

    @property
    def inner_layers(self) -> tuple[Layer, ...]:
        """The layers whose means and maxima follow the pooled feature layer; none without `several`."""
        return inner_layers(self.base.layers, self.base.feature_layer) if self.several else ()

    @property
    def feature_parts(self) -> tuple[slice, ...]:
        """Which features come from the feature layer, and which from each inner layer."""
        inner = [2 * layer.size for layer in self.inner_layers]
        ends = np.cumsum([self.base.feature_layer.size, *inner])
        return tuple(slice(int(start), int(end)) for start, end in zip([0, *ends[:-1]], ends, strict=True))

    @property
    def output(self) -> str:
        """What the engine computes of a picture."""
        return SEVERAL_FEATURES if self.several else FEATURES


def read_pictures(
    source: FeatureSource,
    paths: Sequence[str],
    *,
    keep_pixels: bool = False,
    shown: Collection[str] = (),
    same: SameBytes | None = None,
) -> ReadPictures:
    """Return the pictures with their features, each file opened once; those that cannot be read are listed apart.

    `keep_pixels` also writes the pixels into the working folder, for augmentation and fine-tuning. Thumbnails are made
    of the pictures with the paths `shown`. Those that repeat others, as `same` finds, are left out. Raises
    PictureFolderError when no picture can be read.
    """
    read, features, pixels = ReadPictures(), RowWriter(source.workdir / "features"), None
    if keep_pixels:
        pixels = RowWriter(source.workdir / "pixels")
    extra = encode_missing(source.base.extra_columns)  # columns of a former last layer do not matter to features
    request = Request(
        *(source.output, source.pooling, source.batch_size, "computed features of", extra),
        pixels=paths if keep_pixels else shown,
    )
    found = forward(source.pictures, paths, source.base, source.compute, request, cache=source.cache)
    with closing(Thumbnails(shown)) as thumbnails:
        for picture, vector in found:
            if vector is None:
                read.unreadable.append(picture)
                continue
            if same is not None and same.repeats(picture):
                continue
            if pixels is not None and picture.pixels is not None:
                pixels.append(picture.pixels)
            thumbnails.add(picture)
            features.append(vector)
            read.usable.append(Picture(picture.path, digest=picture.digest))
        read.thumbnails = thumbnails.all()
    read.features = features.array()
    if source.several:
        inner = sum(2 * layer.size for layer in source.inner_layers)
        read.several, read.features = read.features, read.features[:, : read.features.shape[1] - inner]
    read.pixels = None if pixels is None else MappedRows(pixels.array())
    _report_unreadable(read, source.pictures.name)
    return read


def _report_unreadable(read: ReadPictures, folder: str) -> None:
    if read.unreadable:
        log.warning(
            "%s not readable and left out, with the label: %s",
            counted(len(read.unreadable), "labelled picture is", "labelled pictures are"),
            listed((f"{picture.path} ({picture.reason})" for picture in read.unreadable), _SHOWN),
        )
    if not read.usable:
        reasons = Counter(picture.reason for picture in read.unreadable)
        counts = "; ".join(
            f"{count} {reason}: {REASONS.get(reason, reason)}" for reason, count in reasons.most_common()
        )
        raise PictureFolderError(
            f"None of the {len(read.unreadable)} labelled pictures in {folder!r} can be read ({counts})."
        )
