"""From pictures, labels and a model to labels that are probably wrong, near-duplicates and outliers."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from vision_recipes.dataset.label_table import read_label_table
from vision_recipes.dataset.preparation import group_images
from vision_recipes.default_model import open_default
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.inner_layers import inner_layers
from vision_recipes.shards import shard_of
from vision_recipes.stores import Store, Table
from vision_recipes.training.feature_shard import cache_shard, require_cache, say_what_is_next
from vision_recipes.training.features import FeatureSource, read_pictures
from vision_recipes.training.label_check import check_rows
from vision_recipes.training_settings import CheckLabelsSettings
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_MOST_PICTURES = 2500
"""Of more pictures, only the features of the last layer are used: those of several layers cost too much time."""


def check_labels(
    pictures: Store,
    model: Store | None,
    settings: CheckLabelsSettings,
    labels: Table | None = None,
    cache: Store | None = None,
) -> Iterator[dict[str, Any]]:
    """Return an iterator over a row (report_columns.CHECKED) per labelled picture, the most suspicious first.

    Without a `model` the default network is used. With several shards, only the features of one of them are put
    into the `cache`, for a run without shards, and there are no rows. Raises LabelsError, PictureFolderError,
    ModelFolderError or DeviceError before the first row.
    """
    started = time.perf_counter()
    require_cache(settings, cache)
    opened = open_default() if model is None else open_model(model)
    pooling = opened.config.head.pooling if opened.config.head else "avg"
    table = read_label_table(pictures, settings, labels)
    with work_folder("vision-labels-") as workdir:
        inner = inner_layers(opened.layers, opened.feature_layer) if pooling != "none" else ()
        several = bool(inner) and len(table.labels) <= _MOST_PICTURES
        shard = shard_of(settings)
        source = FeatureSource(
            pictures, opened, workdir, settings.compute, pooling, cache=cache, several=several, shard=shard
        )
        if settings.shards > 1:
            cache_shard(source, list(table.labels))
            say_what_is_next(settings)
            return iter(())
        read = read_pictures(source, list(table.labels))
        images, near_duplicates = group_images(read, table, settings.random_seed)
        unreadable = [(picture.path, table.labels[picture.path]) for picture in read.unreadable]
        rows = check_rows(images, near_duplicates, unreadable, settings)
    log.info("checked the labels of %s in %.1f s", counted(len(rows), "picture"), time.perf_counter() - started)
    return iter(rows)
