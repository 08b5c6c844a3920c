"""A dataset of vectors and a column to predict, made ready for training."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vision_recipes.dataset.cell_text import folded
from vision_recipes.dataset.feature_table import FeatureTable, read_feature_table
from vision_recipes.dataset.label_columns import LABEL_NAMES
from vision_recipes.errors import FeatureTableError, columns_listed, did_you_mean
from vision_recipes.feature_model_settings import TrainFeaturesSettings
from vision_recipes.feature_models.column_choice import ColumnChoice, choose_columns
from vision_recipes.feature_models.combined_rows import combine_rows
from vision_recipes.feature_models.folds import group_rows
from vision_recipes.feature_models.input_columns import encode_columns
from vision_recipes.feature_models.inputs import Rows
from vision_recipes.feature_models.targets import Target, ValueScale, read_target, scale_of
from vision_recipes.stores import Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_TARGET_NAMES = (*sorted(LABEL_NAMES), "target", "price", "y")


@dataclass(frozen=True)
class TrainingTable:
    """The rows to learn from: `rows` for models, `target` as it was read, `scale` of numbers, the chosen columns."""

    name: str
    column: str
    target: Target
    scale: ValueScale | None
    rows: Rows
    choice: ColumnChoice
    vector_column: str
    near_duplicates: int
    left_out: int


def read_training_table(table: Table, settings: TrainFeaturesSettings, workdir: Path) -> TrainingTable:
    """Return the rows of a dataset that have a vector and a target; raises FeatureTableError or LabelsError."""
    column = settings.col_label or _find_target(table, settings)
    settings = replace(settings, col_label=column)
    for parameter in ("col_label", "group_column", "combine_column"):
        _require(table, getattr(settings, parameter), parameter)
    for name in settings.extra_columns:
        _require(table, name, "extra_columns")
    read = read_feature_table(
        table,
        workdir,
        vector_column=settings.vector_column,
        path_column=settings.path_column,
        need_paths=False,
    )
    for parameter in ("col_label", "group_column", "combine_column"):
        if (name := getattr(settings, parameter)) and name not in read.cells:
            raise FeatureTableError(
                f"{parameter}: column {name!r} of {table.name} holds the vectors or the paths. Choose another of "
                f"{columns_listed(read.cells)}."
            )
    if settings.combine_column:
        read = _combined(read, settings.combine_column, workdir)
    target = read_target(column, read.cells[column], settings.task)
    log.info("%r is predicted by %s: %s", column, target.task, target.reason)
    left = len(read) - len(target.rows)
    if left:
        log.warning("%s without a usable cell in %r left out", counted(left, "row"), column)
    cells = {name: [every[row] for row in target.rows] for name, every in read.cells.items()}
    choice = choose_columns(cells, target, settings, table.name)
    scale = None if target.classes else scale_of(target.values)
    groups, alike = group_rows(read.vectors, target.rows, cells.get(settings.group_column), settings.random_seed)
    rows = Rows(
        read.vectors,
        target.rows,
        encode_columns(choice.used, cells, len(target.rows)) / np.float32(np.sqrt(max(1, len(choice.used)))),
        target.values if scale is None else scale.to_model(target.values),
        groups,
        len(target.classes),
        settings.random_seed,
    )
    source = settings.vector_column or _vector_name(table, read)
    return TrainingTable(table.name, column, target, scale, rows, choice, source, alike, left)


def _combined(read: FeatureTable, column: str, workdir: Path) -> FeatureTable:
    combined = combine_rows(read, column, workdir)
    if len(combined) == len(read) > 1:
        raise FeatureTableError(
            f"combine_column: every row of {read.name} has another value in column {column!r}, so there is nothing to "
            "combine. Name the column that the rows of one thing share (a house, a product), or leave it empty."
        )
    return combined


def _vector_name(table: Table, read: FeatureTable) -> str:
    others = [name for name in table.columns if name not in read.cells and name != read.path_column]
    return others[0] if len(others) == 1 else ""


def _find_target(table: Table, settings: TrainFeaturesSettings) -> str:
    taken = {settings.vector_column, settings.path_column, settings.group_column}
    arrays = {name for name, kind in table.types.items() if kind == "array"}
    named = [name for name in table.columns if folded(name) in _TARGET_NAMES and name not in taken | arrays]
    if "prediction" in named and len(named) > 1:
        named.remove("prediction")
    if len(named) == 1:
        log.info("column %r is predicted", named[0])
        return named[0]
    raise FeatureTableError(
        f"col_label: it is not obvious which column of {table.name} is to be predicted. Name it; there are "
        f"{columns_listed(table.columns)}."
    )


def _require(table: Table, name: str, parameter: str) -> None:
    if name and name not in table.columns:
        raise FeatureTableError(
            f"{parameter}: dataset {table.name} has no column {name!r}; it has {columns_listed(table.columns)}."
            + did_you_mean(name, table.columns)
        )
