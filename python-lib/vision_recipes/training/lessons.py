"""What there is to learn from: readable pictures with labels, table columns, and the side of the split of each."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.dataset import duplicates, splits
from vision_recipes.dataset.column_encoding import encode
from vision_recipes.dataset.extra_columns import join, learn
from vision_recipes.dataset.labels import Labels, find_labels
from vision_recipes.dataset.paths import label_text
from vision_recipes.errors import LabelsError, SettingsError
from vision_recipes.images.reading import list_pictures
from vision_recipes.model_folder.config import MAX_CLASSES, ExtraColumn
from vision_recipes.pictures import Picture
from vision_recipes.settings import RetrainSettings
from vision_recipes.stores import Store, Table
from vision_recipes.training.augmentation import Plan
from vision_recipes.training.examples import Examples, class_weights
from vision_recipes.training.features import Source, Usable
from vision_recipes.training.optimisers import read_parameters

log = logging.getLogger("vision_recipes")


@dataclass(frozen=True)
class Tables:
    """The datasets that are connected: labels with their columns, and more columns by picture."""

    labels: Table | None = None
    extra: Table | None = None


@dataclass
class Wanted:
    """The pictures to use: the label of each path, and what the split, group and extra columns say of it."""

    labels: dict[str, str]
    split: Mapping[str, str | None] = field(default_factory=dict)
    group: Mapping[str, str | None] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extra_source: str = ""


@dataclass
class Lesson:
    """The usable pictures, row by row: `features`, `targets` (numbers of `labels`), `sides`, `groups`, `extra`.

    `remarks` are sentences, without full stop, on what people should know of the data.
    """

    source: Source
    pictures: Sequence[Picture]
    features: np.ndarray
    rejected: Sequence[Picture]
    labels: tuple[str, ...]
    targets: np.ndarray
    sides: np.ndarray
    groups: np.ndarray
    columns: tuple[ExtraColumn, ...]
    extra: np.ndarray
    remarks: list[str]
    alike: Sequence[duplicates.Pair] = ()

    def rows(self, side: int) -> np.ndarray:
        """Return the numbers of the pictures on a side of the split."""
        return np.flatnonzero(self.sides == side)

    def examples(self, side: int) -> Examples:
        """Return the rows of a side; training rows are weighted by class if the settings say so."""
        rows = self.rows(side)
        mode = self.source.settings.class_weights if side == splits.TRAIN else "none"
        weights = class_weights(self.targets[rows], len(self.labels), mode)
        return Examples(
            self.features[rows], self.extra[rows], self.targets[rows], weights, self.groups[rows], len(self.labels)
        )


def check_parameters(settings: RetrainSettings) -> None:
    """Raise SettingsError for optimiser and augmentation parameters that cannot be used, before any work."""
    mistakes = []
    for read in (
        lambda: read_parameters(settings.model_optimizer, settings.model_custom_params_opti),
        lambda: Plan.from_pairs(settings.model_custom_params_data_augmentation),
    ):
        try:
            read()
        except SettingsError as err:
            mistakes.append(str(err))
    if mistakes:
        raise SettingsError("; ".join(mistakes))


def find_wanted(pictures: Store, settings: RetrainSettings, tables: Tables) -> Wanted:
    """Return the labelled pictures with what the tables say of them; raises LabelsError, SettingsError."""
    paths = list_pictures(pictures)
    found = find_labels(paths, settings, tables.labels)
    for remark in found.remarks():
        log.warning("labels: %s", remark)
    wanted = Wanted(found.of)
    if settings.split_column:
        wanted.split = _cells(paths, found, tables, ("split_column", settings.split_column, settings.col_filename))
        used = {path: label for path, label in found.of.items() if wanted.split.get(path)}
        log.info("%d labelled pictures are left out by split_column", len(found.of) - len(used))
        wanted.labels = used
        if not used:
            raise LabelsError(f"split_column {settings.split_column!r} is empty for every labelled picture.")
    _check_counts(wanted.labels, settings)
    if settings.group_column:
        wanted.group = _cells(paths, found, tables, ("group_column", settings.group_column, settings.col_filename))
    if settings.extra_columns:
        table = tables.extra or tables.labels
        if table is None:
            raise SettingsError(
                f"extra_columns: {', '.join(settings.extra_columns)} should join the pictures, but no dataset is "
                "connected. Connect extra_dataset, or labels with these columns."
            )
        key = settings.col_filename if settings.col_filename not in settings.extra_columns else ""
        wanted.extra, wanted.extra_source = join(table, paths, settings.extra_columns, key), table.name
    elif tables.extra is not None:
        log.warning("dataset %s is connected, but extra_columns names none of its columns", tables.extra.name)
    return wanted


def prepare_lesson(source: Source, wanted: Wanted, usable: Usable) -> Lesson:
    """Return all there is to learn from, split; one list of classes, fixed before the split. Raises LabelsError."""
    pictures, settings = usable.pictures, source.settings
    texts = [str(picture.label) for picture in pictures]
    labels = tuple(sorted(set(texts)))
    remarks = _check_classes(labels, wanted)
    numbers = {label: number for number, label in enumerate(labels)}
    targets = np.array([numbers[text] for text in texts], np.int64)
    digests = [picture.digest for picture in pictures]
    pairs = duplicates.find_duplicates(usable.features, digests, settings.random_seed)
    told = splits.linked_by([wanted.group.get(picture.path) for picture in pictures])
    alike = [(pair.one, pair.other) for pair in pairs]
    groups = splits.merge_groups(len(pictures), alike, told)
    if settings.split_column:
        cells = [str(wanted.split[picture.path]) for picture in pictures]
        split = splits.read_split(cells, targets, labels, settings.split_column)
    else:
        ratio, seed = settings.train_ratio, settings.random_seed
        try:
            split = splits.draw_split(targets, groups, labels, ratio, seed)
        except LabelsError:
            if not alike:
                raise
            groups = splits.merge_groups(len(pictures), told)
            split = splits.draw_split(targets, groups, labels, ratio, seed)
            remarks.append(
                "so many pictures are nearly the same that they could not be kept on one side of the split; "
                "the validation figures may be too good"
            )
    remarks += split.remarks
    paths = [picture.path for picture in pictures]
    remarks += duplicates.tell_duplicates(pairs, paths, targets, split.sides)
    if usable.rejected:
        remarks.append(f"{len(usable.rejected)} labelled pictures could not be read and were left out")
    columns: tuple[ExtraColumn, ...] = ()
    if settings.extra_columns:
        trained = [paths[row] for row in split.rows(splits.TRAIN)]
        known = {path: wanted.extra[path] for path in trained if path in wanted.extra}
        columns = learn(settings.extra_columns, known, wanted.extra_source)
    extra = np.stack([encode(columns, wanted.extra.get(path)) for path in paths])
    lesson = Lesson(
        source,
        pictures,
        usable.features,
        usable.rejected,
        labels,
        targets,
        split.sides,
        groups,
        columns,
        extra,
        remarks,
        pairs,
    )
    for remark in remarks:
        log.warning("data: %s", remark)
    _tell(lesson)
    return lesson


def _check_counts(labels: Mapping[str, str], settings: RetrainSettings) -> None:
    """Raise LabelsError, before any picture is read, when the labels alone rule out that anything can be learnt."""
    counts = Counter(labels.values())
    if len(counts) == 1:
        raise LabelsError(
            f"All labelled pictures bear the label {next(iter(counts))!r}; there must be at least two classes to tell "
            "apart."
        )
    if counts and not settings.split_column and max(counts.values()) < 2:
        raise LabelsError(
            f"Each of the {len(counts)} labels is that of one picture only ({', '.join(map(repr, list(counts)[:4]))}), "
            "so none can be set aside to judge the training. Add pictures, or check that the label column holds "
            "classes and not identifiers."
        )
    if len(counts) > MAX_CLASSES:
        raise LabelsError(
            f"There are {len(counts)} different labels; a model may have {MAX_CLASSES}. Is it the right column?"
        )


def _check_classes(labels: Sequence[str], wanted: Wanted) -> list[str]:
    lost = Counter(wanted.labels.values())
    for label in labels:
        del lost[label]
    if len(labels) < 2:
        gone = f" (no picture of {', '.join(map(repr, list(lost)[:5]))} can be read)" if lost else ""
        raise LabelsError(
            f"All usable pictures bear the label {labels[0]!r}{gone}; there must be at least two classes to tell apart."
        )
    if not lost:
        return []
    return [f"{len(lost)} classes drop out, since none of their pictures can be read: {', '.join(list(lost)[:12])}"]


def _cells(paths: Sequence[str], found: Labels, tables: Tables, which: tuple[str, str, str]) -> dict[str, str | None]:
    """Return a column's cell as text for each picture; `which` is the parameter, the column and that of the paths."""
    parameter, column, key = which
    rows: Mapping[str, Mapping[str, Any]]
    if tables.labels is not None and column in tables.labels.columns:
        rows = found.rows or join(tables.labels, paths, [column], key)
    elif tables.extra is not None and column in tables.extra.columns:
        rows = join(tables.extra, paths, [column], key)
    else:
        there = [f"{table.name} has {', '.join(table.columns)}" for table in (tables.labels, tables.extra) if table]
        raise LabelsError(
            f"{parameter}: no connected dataset has a column {column!r} "
            f"({'; '.join(there) or 'none is connected'}). Choose one of the columns, or leave it empty."
        )
    return {path: label_text(row.get(column)) for path, row in rows.items()}


def _tell(lesson: Lesson) -> None:
    counts = np.bincount(lesson.targets)
    log.info(
        "%d pictures of %d classes (%d to %d each), %d rejected; %d train, %d validate, %d test; "
        "%d features each, %.1f MB",
        len(lesson.pictures),
        len(lesson.labels),
        counts.min(),
        counts.max(),
        len(lesson.rejected),
        *(len(lesson.rows(side)) for side in (splits.TRAIN, splits.VALID, splits.TEST)),
        lesson.features.shape[1],
        lesson.features.nbytes / 1e6,
    )
