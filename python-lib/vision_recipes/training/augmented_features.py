"""Features of augmented copies, computed from the pixels that the first pass kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, nullcontext

import numpy as np

from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.mapped_arrays import new_array
from vision_recipes.images.reading import READING
from vision_recipes.inference.engine import SEVERAL_FEATURES, Engine, find_output
from vision_recipes.inference.feature_cache import FeatureCache, Find, find_too
from vision_recipes.inference.forward_pass import Progress, Request, open_kept, several_length
from vision_recipes.pictures import Picture
from vision_recipes.training.augmentation import AugmentationPlan, augment
from vision_recipes.training.features import FeatureSource
from vision_recipes.training_settings import RetrainSettings


def augmented_features(source: FeatureSource, images: LabelledImages, settings: RetrainSettings) -> np.ndarray:
    """Return features of each picture and then of its copies, (n * (1 + copies), d), picture by picture."""
    plan = AugmentationPlan.from_pairs(settings.model_custom_params_data_augmentation)
    copies = settings.n_augmentation
    request = Request(source.output, source.pooling, source.batch_size, shard=source.shard)
    opened = open_kept(source.base, source.compute, request)
    engine, cache = opened.it, None
    find: Find = _nothing
    if source.cache is not None:
        key, several = (
            _cache_key(source, engine, output, plan, settings) for output in (source.output, SEVERAL_FEATURES)
        )
        cache = FeatureCache(source.cache, key, engine.length, every=256)
        length = engine.length if source.several else several_length(source.base, engine.length)
        find = find_too(cache, source.cache, several, length)
    shape = (len(images), copies + 1, engine.length)
    features = new_array(source.workdir / "augmented.npy", shape, "the features of augmented copies")
    features[:, 0] = images.features
    progress = Progress("computed augmented copies:", len(images) * copies)
    found = _augmented_pictures(images, plan, settings, find)
    results = opened.after(engine.run(found, encode_missing(source.base.extra_columns)))
    with nullcontext() if cache is None else closing(cache):
        for place, (picture, vector) in enumerate(results):
            features[place // copies, place % copies + 1] = vector
            if cache is not None and vector is not None and picture.cached is None:
                cache.add(picture.digest, vector)
            progress.add(picture)
    progress.finish()
    return np.asarray(features.reshape(-1, shape[2]))


def _cache_key(
    source: FeatureSource, engine: Engine, output: str, plan: AugmentationPlan, settings: RetrainSettings
) -> str:
    described = (
        *(source.base.folder_hash, engine.name, engine.precision),
        *(find_output(source.base, output, source.pooling), str(plan), READING, settings.random_seed),
    )
    return hashlib.sha256(repr(described).encode()).hexdigest()


def _nothing(_name: str) -> None:
    """Find no result, where there is no cache."""


def _augmented_pictures(
    images: LabelledImages,
    plan: AugmentationPlan,
    settings: RetrainSettings,
    find: Find,
) -> Iterator[Picture]:
    """Yield the copies of each picture, with their features instead of pixels where all of these are in the cache."""
    assert images.pixels is not None
    copies = settings.n_augmentation
    for row, digest in enumerate(images.digests):
        names = [hashlib.sha256(f"{digest}:{copy}".encode()).hexdigest() for copy in range(copies)]
        cached = [find(name) for name in names]
        shown: list[np.ndarray | None] = [None] * copies
        if any(vector is None for vector in cached):
            shown[:] = augment(images.pixels[row], copies, plan, f"{settings.random_seed}:{digest}")
        for name, pixels, vector in zip(names, shown, cached, strict=True):
            yield Picture(images.paths[row], pixels, digest=name, cached=vector)
