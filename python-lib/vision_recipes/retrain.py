"""From pictures, labels and a model to a model of your own."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from vision_recipes.dataset.feedback import SameBytes, join_feedback
from vision_recipes.dataset.label_table import read_label_table, require_classes
from vision_recipes.dataset.preparation import prepare
from vision_recipes.default_model import open_default
from vision_recipes.listed_once import ListedOnce
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.config import MAX_CLASSES
from vision_recipes.model_selection.winning_row import with_winning_row
from vision_recipes.reports.validation_page import write_validation_page
from vision_recipes.shards import shard_of
from vision_recipes.stores import Store, Table
from vision_recipes.training.feature_choice import may_use_several
from vision_recipes.training.feature_shard import cache_shard, require_cache, say_what_is_next
from vision_recipes.training.features import FeatureSource, read_pictures
from vision_recipes.training.outcome import outcome
from vision_recipes.training.output import require_writable, save
from vision_recipes.training.reference_pictures import thumbnail_paths
from vision_recipes.training.resize_choice import AUTO, choose_resize
from vision_recipes.training.run_reports import Run
from vision_recipes.training.stages import train
from vision_recipes.training.starting_model import check_parameters, prepare_model
from vision_recipes.training_settings import RetrainSettings

log = logging.getLogger("vision_recipes")


def retrain(
    pictures: Store,
    model: Store | None,
    output: Store,
    settings: RetrainSettings,
    labels: Table | None = None,
    extra: Table | None = None,
    cache: Store | None = None,
    feedback: Store | None = None,
    corrections: Table | None = None,
    leaderboard: Table | None = None,
) -> None:
    """Write a model of your own labels into `output`, which may be the folder of `model` itself.

    Without a `model` it starts from the default network. `feedback` is a folder of corrected pictures that join the
    others, `corrections` a table with their paths and labels. Of a `leaderboard`, the settings of its best row of
    the model are taken. With several shards, only the features of one of them are put into the `cache`, for a run
    without shards. Until config.json is written, last, the folder's previous model stays intact. Raises
    SettingsError, LabelsError, PictureFolderError, ModelFolderError, DeviceError, TrainingError, OutputError.
    """
    started = time.perf_counter()
    check_parameters(settings)
    pictures = ListedOnce(pictures)
    with work_folder("vision-retrain-") as workdir:
        opened = open_default() if model is None else open_model(model)
        if leaderboard is not None:
            settings = with_winning_row(settings, leaderboard, opened)
        base, settings = prepare_model(opened, settings, workdir)
        require_cache(settings, cache)
        if settings.shards == 1:
            require_writable(output)
        table = read_label_table(pictures, settings, labels, extra)
        if feedback is not None or corrections is not None:
            pictures, table = join_feedback(pictures, table, feedback, corrections)
        require_classes(table.labels, MAX_CLASSES, table.source, splittable=not table.split)
        source = FeatureSource(
            *(pictures, base, workdir, settings.compute, settings.model_pooling, settings.batch_size, cache),
            several=may_use_several(base, settings, len(table.labels)),
            shard=shard_of(settings),
        )
        if settings.image_resize == AUTO:
            source = replace(source, base=choose_resize(source, table, settings.random_seed))
        if settings.shards > 1:
            cache_shard(source, list(table.labels), settings if settings.data_augmentation else None)
            say_what_is_next(settings)
            return
        keep_pixels = settings.data_augmentation or settings.layer_to_retrain != "last"
        shown, same = thumbnail_paths(table.labels, settings), SameBytes(table)
        read = read_pictures(source, list(table.labels), keep_pixels=keep_pixels, shown=shown, same=same)
        same.correct()
        prepared = prepare(read, table, settings)
        trained = train(prepared.images, source, settings, output, read.thumbnails)
        unreadable = [(p.path, table.labels[p.path], p.reason, p.detail) for p in read.unreadable]
        run = Run(replace(settings, label_source=table.source), prepared, trained, unreadable, source)
        save(output, run)
        page = write_validation_page(output, run)
    log.info("retrained in %.1f s: %s", time.perf_counter() - started, trained.how)
    for line in (*outcome(run), *page):
        log.info(line)
