"""The walk from pictures, labels and a model to the labels that are doubtful, and the pictures that are odd."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vision_recipes.model_folder import open_model
from vision_recipes.settings import CheckLabelsSettings, RetrainSettings
from vision_recipes.stores import Store, Table
from vision_recipes.training.features import Source, compute_features
from vision_recipes.training.label_check import check_up
from vision_recipes.training.lessons import Tables, find_wanted

log = logging.getLogger("vision_recipes")


def check_labels(
    pictures: Store,
    model: Store,
    settings: CheckLabelsSettings,
    labels: Table | None = None,
    cache: Store | None = None,
) -> Iterator[dict[str, Any]]:
    """Return an iterator over a row (report_columns.CHECKED) per labelled picture, the most suspicious first.

    Raises LabelsError, PictureFolderError, ModelFolderError or DeviceError before the first row.
    """
    started = time.perf_counter()
    opened = open_model(model)
    seen = RetrainSettings(
        label_source=settings.label_source,
        label_pattern=settings.label_pattern,
        col_filename=settings.col_filename,
        col_label=settings.col_label,
        group_column=settings.group_column,
        random_seed=settings.random_seed,
        model_pooling=opened.config.head.pooling if opened.config.head else "avg",
        compute=settings.compute,
    )
    with tempfile.TemporaryDirectory(prefix="vision-labels-", ignore_cleanup_errors=True) as folder:
        wanted = find_wanted(pictures, seen, Tables(labels))
        usable = compute_features(Source(pictures, opened, seen, Path(folder), cache), wanted.labels)
        rows = check_up(usable, wanted, settings)
    log.info("checked the labels of %d pictures in %.1f s", len(rows), time.perf_counter() - started)
    return iter(rows)
