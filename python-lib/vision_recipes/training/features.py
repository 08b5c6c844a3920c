"""The frozen part of a network, computed once for each labelled picture and each of its augmented copies."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.dataset.labelled_images import LabelledImages, ReadPictures
from vision_recipes.dataset.mapped_arrays import MappedRows, RowWriter
from vision_recipes.errors import PictureFolderError
from vision_recipes.images.reading import READING
from vision_recipes.inference.engine import FEATURES
from vision_recipes.inference.feature_cache import FeatureCache
from vision_recipes.inference.forward_pass import Progress, Request, forward
from vision_recipes.inference.opening import open_engine
from vision_recipes.pictures import REASONS, Picture
from vision_recipes.settings import ComputeSettings
from vision_recipes.stores import Store
from vision_recipes.training.augmentation import AugmentationPlan, augment

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

log = logging.getLogger("vision_recipes")

_SHOWN = 20


@dataclass(frozen=True)
class FeatureSource:
    """Where features come from: a folder of pictures and the network `base`; `workdir` is for files that are mapped.

    `pooling` is "avg", "max" or "none"; `batch_size` 0 = chosen.
    """

    pictures: Store
    base: Model
    workdir: Path
    compute: ComputeSettings
    pooling: str = "avg"
    batch_size: int = 0
    cache: Store | None = None


def read_pictures(source: FeatureSource, paths: Sequence[str], *, keep_pixels: bool = False) -> ReadPictures:
    """Return the pictures with their features, each file opened once; those that cannot be read are listed apart.

    `keep_pixels` also writes the pixels into the working folder, for augmentation and fine-tuning. Raises
    PictureFolderError when no picture can be read.
    """
    read, features, pixels = ReadPictures(), RowWriter(source.workdir / "features"), None
    if keep_pixels:
        pixels = RowWriter(source.workdir / "pixels")
    extra = encode_missing(source.base.extra_columns)  # columns of a former last layer do not matter to features
    request = Request(FEATURES, source.pooling, source.batch_size, "computed features of", extra, pixels=keep_pixels)
    for picture, vector in forward(source.pictures, paths, source.base, source.compute, request, cache=source.cache):
        if vector is None:
            read.unreadable.append(picture)
            continue
        if pixels is not None and picture.pixels is not None:
            pixels.append(picture.pixels)
        features.append(vector)
        read.usable.append(Picture(picture.path, digest=picture.digest))
    read.features = features.array()
    read.pixels = None if pixels is None else MappedRows(pixels.array())
    _report_unreadable(read, source.pictures.name)
    return read


@dataclass(frozen=True)
class Augmentation:
    """How many augmented copies of a picture there are, and how they vary."""

    plan: AugmentationPlan
    copies: int
    seed: int


def augmented_features(source: FeatureSource, images: LabelledImages, augmentation: Augmentation) -> np.ndarray:
    """Return features of each picture and then of its copies, (n * (1 + copies), d), picture by picture."""
    plan, copies, seed = augmentation.plan, augmentation.copies, augmentation.seed
    engine = open_engine(
        source.base,
        source.compute,
        FEATURES,
        pooling=source.pooling,
        batch=source.batch_size,
        pictures=len(images) * copies,
    )
    cache = None
    if source.cache is not None:
        described = (source.base.folder_hash, engine.name, engine.precision, source.pooling, str(plan), READING, seed)
        key = hashlib.sha256(repr(described).encode()).hexdigest()
        cache = FeatureCache(source.cache, key, engine.network.length, every=256)
    shape = (len(images), copies + 1, engine.network.length)
    features = np.lib.format.open_memmap(source.workdir / "augmented.npy", "w+", np.float32, shape)
    features[:, 0] = images.features
    missing = []
    for row, digest in enumerate(images.digests):
        for copy in range(copies):
            vector = cache.get(_copy_name(digest, copy)) if cache is not None else None
            if vector is None:
                missing.append((row, copy))
            else:
                features[row, copy + 1] = vector
    progress = Progress("computed augmented copies:", len(missing))
    network_inputs = _augmented_pictures(images, missing, augmentation)
    extra = encode_missing(source.base.extra_columns)
    try:
        for (row, copy), (picture, vector) in zip(missing, engine.run(network_inputs, extra), strict=True):
            features[row, copy + 1] = vector
            if cache is not None and vector is not None:
                cache.add(picture.digest, vector)
            progress.add(picture)
    finally:
        if cache is not None:
            cache.close()
    progress.finish()
    return np.asarray(features.reshape(-1, shape[2]))


def _augmented_pictures(
    images: LabelledImages, copies: Sequence[tuple[int, int]], augmentation: Augmentation
) -> Iterator[Picture]:
    assert images.pixels is not None
    row_of_shown, shown = -1, []
    for row, copy in copies:
        digest = images.digests[row]
        if row != row_of_shown:
            seed_material = f"{augmentation.seed}:{digest}"
            row_of_shown, shown = (
                row,
                augment(images.pixels[row], augmentation.copies, augmentation.plan, seed_material),
            )
        yield Picture(images.paths[row], shown[copy], digest=_copy_name(digest, copy))


def _copy_name(digest: str, copy: int) -> str:
    return hashlib.sha256(f"{digest}:{copy}".encode()).hexdigest()


def _report_unreadable(read: ReadPictures, folder: str) -> None:
    if read.unreadable:
        names = ", ".join(f"{picture.path} ({picture.reason})" for picture in read.unreadable[:_SHOWN])
        more = len(read.unreadable) - _SHOWN
        log.warning(
            "%d labelled pictures cannot be read and are left out with their labels: %s%s",
            len(read.unreadable),
            names,
            f" and {more} more" if more > 0 else "",
        )
    if not read.usable:
        reasons = Counter(picture.reason for picture in read.unreadable)
        counts = "; ".join(
            f"{count} {reason}: {REASONS.get(reason, reason)}" for reason, count in reasons.most_common()
        )
        raise PictureFolderError(
            f"None of the {len(read.unreadable)} labelled pictures in {folder!r} can be read ({counts})."
        )
