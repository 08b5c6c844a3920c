"""The walk from pictures, labels and a model to your own model."""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path

from vision_recipes.model_folder import open_model
from vision_recipes.settings import RetrainSettings
from vision_recipes.stores import Store, Table
from vision_recipes.training.features import Source, compute_features
from vision_recipes.training.lessons import Tables, check_parameters, find_wanted, prepare_lesson
from vision_recipes.training.results import require_writable, save
from vision_recipes.training.starting_model import make_ready
from vision_recipes.training.teaching import teach

log = logging.getLogger("vision_recipes")


def retrain(
    pictures: Store,
    model: Store,
    output: Store,
    settings: RetrainSettings,
    labels: Table | None = None,
    extra: Table | None = None,
    cache: Store | None = None,
) -> None:
    """Write a model of your own labels into `output`, which may be the folder of `model` itself.

    Until config.json is written, last, the folder's former model stays whole. Raises SettingsError, LabelsError,
    PictureFolderError, ModelFolderError, DeviceError, TrainingError, OutputError.
    """
    started = time.perf_counter()
    check_parameters(settings)
    with tempfile.TemporaryDirectory(prefix="vision-retrain-", ignore_cleanup_errors=True) as folder:
        base, fitting = make_ready(open_model(model), settings, Path(folder))
        require_writable(output)
        wanted = find_wanted(pictures, fitting, Tables(labels, extra))
        source = Source(pictures, base, fitting, Path(folder), cache)
        lesson = prepare_lesson(source, wanted, compute_features(source, wanted.labels))
        taught = teach(lesson, output)
        save(output, lesson, taught)
    log.info("retrained in %.1f s: %s", time.perf_counter() - started, taught.summary)
