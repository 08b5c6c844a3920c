"""Compare: pictures, labels and networks to the settings that predict held-out pictures best, and their model."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vision_recipes.compare_settings import CompareSettings
from vision_recipes.dataset.label_table import LabelTable, read_label_table, require_classes
from vision_recipes.default_model import open_catalogued
from vision_recipes.errors import VisionError
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder.config import MAX_CLASSES
from vision_recipes.model_selection.candidates import SEVERAL, Candidate, PassSettings, of_own_passes
from vision_recipes.model_selection.entrants import Entrant, find_entrants
from vision_recipes.model_selection.feature_pass import FeaturePass
from vision_recipes.model_selection.leaderboard import Line, leaderboard_rows, lines
from vision_recipes.model_selection.page import ComparedRun, render_comparison_page, sentences
from vision_recipes.model_selection.race import Race
from vision_recipes.model_selection.sampling import comparable, require_no_quantity
from vision_recipes.reports.rendering import write_page
from vision_recipes.retrain import retrain
from vision_recipes.shards import shard_of
from vision_recipes.stores import LocalStore, Store, Table
from vision_recipes.training.feature_shard import cache_shard, require_cache, say_what_is_next
from vision_recipes.training.features import FeatureSource
from vision_recipes.training.output import require_writable
from vision_recipes.training.starting_model import prepare_model
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

__all__ = ["CompareInputs", "CompareOutputs", "compare"]


Row = dict[str, Any]


@dataclass(frozen=True)
class CompareInputs:
    """The pictures, the folders of the networks, and the table of labels if there is one."""

    pictures: Store
    models: Sequence[Store] = ()
    labels: Table | None = None


@dataclass(frozen=True)
class CompareOutputs:
    """What may be connected besides the leaderboard: folders for the winner's model, the page, and cached features."""

    model: Store | None = None
    report: Store | None = None
    cache: Store | None = None


def compare(
    inputs: CompareInputs,
    settings: CompareSettings,
    outputs: CompareOutputs = CompareOutputs(),  # noqa: B008 - frozen
) -> Iterator[Row]:
    """Return an iterator over the leaderboard (report_columns.COMPARED), best first; write the other outputs.

    Without model folders and names, the default network is used. With several shards, only features of one of them are
    put into the cache, for a run without shards, and there are no rows. Raises SettingsError, LabelsError,
    PictureFolderError, ModelFolderError, DeviceError, OutputError before anything is written.
    """
    started = time.perf_counter()
    require_cache(settings, outputs.cache)
    table = read_label_table(inputs.pictures, settings, inputs.labels)
    require_classes(table.labels, MAX_CLASSES, table.source, splittable=not table.split)
    require_no_quantity(table.labels)
    entrants = find_entrants(inputs.models, settings.networks, open_catalogued)
    if outputs.model is not None and settings.shards == 1:
        require_writable(outputs.model)
    with work_folder("vision-compare-") as workdir:
        cache = outputs.cache or LocalStore(workdir / "cache", "cache")
        race = _race(inputs, settings, table, workdir, cache)
        if settings.shards > 1:
            _cache_shard(race, entrants, settings, list(table.labels) if outputs.model is not None else [])
            return iter(())
        race.run(of_own_passes(entrants, settings))
        found = lines(race)
        rows = leaderboard_rows(found, entrants, settings)
        if outputs.model is not None:
            _retrain_winner(inputs, settings, race.winner.candidate, outputs.model, cache)
        run = _described(inputs, settings, race, found, entrants)
        if outputs.report is not None:
            write_page(outputs.report, render_comparison_page(run))
    for remark in race.remarks:
        log.warning("%s", remark)
    for sentence in sentences(run):
        log.info("%s", sentence)
    log.info("compared %s in %.1f s", counted(len(found), "candidate"), time.perf_counter() - started)
    return iter(rows)


def _race(inputs: CompareInputs, settings: CompareSettings, table: LabelTable, workdir: Path, cache: Store) -> Race:
    def open_pass(of_pass: PassSettings) -> FeaturePass:
        folder = workdir / f"pass-{len(list(workdir.glob('pass-*')))}"
        folder.mkdir()
        chosen = settings.retraining(**of_pass.parameters())
        base, chosen = prepare_model(of_pass.entrant.opened, chosen, folder)
        several = any(each.head_features == SEVERAL for each in of_own_passes([of_pass.entrant], settings))
        source = FeatureSource(
            *(inputs.pictures, base, folder, settings.compute, chosen.model_pooling), cache=cache, several=several
        )
        return FeaturePass(source, keep_pixels=of_pass.data_augmentation)

    return Race(comparable(table.labels, table.split), table.group, settings, open_pass)


def _cache_shard(race: Race, entrants: Sequence[Entrant], settings: CompareSettings, all_labelled: list[str]) -> None:
    """Put what every network has to compute of the pictures of a shard into the cache.

    That is its own pass over the pictures that are compared on; of a network that has no rival also `all_labelled`, on
    which its model is then trained. What only the leader does is known to the run that compares.
    """
    passes = [PassSettings(entrant) for entrant in entrants if entrant.model is not None]
    paths = all_labelled if len(passes) == 1 and all_labelled else race.order[: race.sizes[-1]]
    for of_pass in passes:
        try:
            cache_shard(replace(race.open_pass(of_pass).source, shard=shard_of(settings)), paths)
        except VisionError as err:  # the comparison leaves it out
            log.warning("%s is left out: %s", of_pass.entrant.name, err)
    say_what_is_next(settings)


def _described(
    inputs: CompareInputs, settings: CompareSettings, race: Race, found: Sequence[Line], entrants: Sequence[Entrant]
) -> ComparedRun:
    labels = len(set(race.labels.values()))
    corrected = race.accuracy_when_chosen()
    return ComparedRun(inputs.pictures.name, found, entrants, settings, race.remarks, labels, corrected)


def _retrain_winner(
    inputs: CompareInputs, settings: CompareSettings, winner: Candidate, output: Store, cache: Store
) -> None:
    """Train the winner on all labelled pictures as vision-retrain does; its features are in the cache."""
    retrain(
        pictures=inputs.pictures,
        model=winner.entrant.opened.store,
        output=output,
        settings=settings.retraining(**winner.parameters()),
        labels=inputs.labels,
        cache=cache,
    )
