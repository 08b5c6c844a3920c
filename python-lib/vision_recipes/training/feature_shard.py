"""The features of a shard of the labelled pictures, put into the cache folder for a training that comes later."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vision_recipes.dataset.column_encoding import encode_missing
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.mapped_arrays import MappedRows, RowWriter
from vision_recipes.errors import SettingsError
from vision_recipes.inference.forward_pass import Request, forward
from vision_recipes.settings import ShardSettings
from vision_recipes.stores import Store
from vision_recipes.training.augmented_features import augmented_features
from vision_recipes.training.features import FeatureSource
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")


def require_cache(settings: ShardSettings, cache: Store | None) -> None:
    """Raise SettingsError when a shard is asked for and there is no folder that its features could go to."""
    if settings.shards > 1 and cache is None:
        raise SettingsError(
            f"shards: with {settings.shards} of them, a run only puts features into the cache folder, but cache_folder "
            "is empty. Connect one, the same for all shards and for the run after them, or set shards to 1."
        )


def cache_shard(source: FeatureSource, paths: Sequence[str], settings: RetrainSettings | None = None) -> None:
    """Put the features of the pictures of `source.shard`, of all `paths`, into the cache of `source`.

    With `settings`, also those of their augmented copies: of every picture, as it is known only when all are read
    which ones are held out and need none.
    """
    features, pixels = RowWriter(source.workdir / "features"), RowWriter(source.workdir / "pixels")
    named: dict[str, str] = {}
    request = Request(
        *(source.output, source.pooling, source.batch_size, "computed features of"),
        encode_missing(source.base.extra_columns),
        pixels=source.shard.of(paths) if settings else (),
        shard=source.shard,
    )
    for picture, vector in forward(source.pictures, paths, source.base, source.compute, request, cache=source.cache):
        if settings is not None and vector is not None and picture.pixels is not None and picture.digest not in named:
            features.append(vector)
            pixels.append(picture.pixels)
            named[picture.digest] = picture.path
    found, kept = features.array(), MappedRows(pixels.array())
    if settings is not None and named:
        images = LabelledImages.of_features(found, np.zeros(len(named), np.int64), [""])
        images = replace(images, paths=list(named.values()), digests=list(named), pixels=kept)
        augmented_features(source, images, settings)
    log.info(
        "shard %d of %d: the features of %d of %s are in the cache folder %r",
        *(source.shard.number, source.shard.count, len(source.shard.of(paths)), counted(len(paths), "picture")),
        source.cache.name if source.cache else "",
    )


def say_what_is_next(settings: ShardSettings) -> None:
    """Log that a shard writes nothing else."""
    if settings.shards > 1:
        log.info("nothing else is written; when all %d shards have run, run once more with shards 1", settings.shards)
