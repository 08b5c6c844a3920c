"""Features of augmented copies, computed from the pixels that the first pass kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.images.reading import READING
from vision_recipes.inference.engine import FEATURES
from vision_recipes.inference.feature_cache import FeatureCache
from vision_recipes.inference.forward_pass import Progress
from vision_recipes.inference.opening import open_engine
from vision_recipes.pictures import Picture
from vision_recipes.training.augmentation import AugmentationPlan, augment
from vision_recipes.training.features import FeatureSource


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
        cache = FeatureCache(source.cache, key, engine.length, every=256)
    shape = (len(images), copies + 1, engine.length)
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
