"""The recipe from feature vectors and a feature model to labels or numbers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes import rows
from vision_recipes.dataset.feature_table import FeatureTable, Rejected, passed_on, read_feature_table
from vision_recipes.errors import FeatureTableError, SettingsError, columns_listed, did_you_mean
from vision_recipes.feature_model_settings import ScoreFeaturesSettings
from vision_recipes.feature_models.combined_rows import combine_rows
from vision_recipes.feature_models.feature_model import FeatureModel
from vision_recipes.feature_models.feature_model_folder import open_feature_model
from vision_recipes.local_folders import make_work_folder
from vision_recipes.pictures import Picture
from vision_recipes.report_columns import VALUED
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import Store, Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_BLOCK = 2048
_FAR, _NORMS = 10.0, 1000

Row = dict[str, Any]


@dataclass(frozen=True)
class ScoredFeatures:
    """The rows, as they come; `columns` are those of vision-classify, or report_columns.VALUED, and those passed on."""

    columns: tuple[rows.Column, ...]
    rows: Iterator[Row]

    def __iter__(self) -> Iterator[Row]:
        return self.rows


def score_features(table: Table, model: Store, settings: ScoreFeaturesSettings) -> ScoredFeatures:
    """Return a row for each row of the dataset: those with a vector in their order, then those without one.

    Raises ModelFolderError, FeatureTableError or SettingsError before the first row.
    """
    opened = open_feature_model(model)
    _require_columns(table, opened, model.name)
    folder = make_work_folder("vision-features-")
    vector = settings.vector_column or (
        opened.config.vector.column if opened.config.vector.column in table.columns else ""
    )
    read = read_feature_table(
        table, Path(folder.name), vector_column=vector, path_column=settings.path_column, need_paths=False
    )
    length = opened.config.vector.length
    if read.vectors.shape[1] != length:
        raise FeatureTableError(
            f"Vectors of {table.name} have {read.vectors.shape[1]} numbers, those that model {model.name!r} was "
            f"trained on had {length}. Extract them with the same model folder and the same layer."
        )
    _compare_norms(read, opened, table.name)
    if opened.config.combine_column:
        read = combine_rows(read, opened.config.combine_column, Path(folder.name))
    _warn_of_unknown(read, opened)
    base = rows.CLASSIFIED if opened.config.classes else VALUED
    taken = [column.name for column in base]
    passed = dict(passed_on(table, taken, [*read.cells]))
    if opened.config.combine_column:
        passed |= {name: read.types[name] for name in passed if read.types[name] == "double"}
    others = [rows.Column(name, kind) for name, kind in passed.items()]
    names = [column.name for column in others]

    def every() -> Iterator[Row]:
        with folder:
            yield from _answered(read, opened, settings, names)
            for row in read.rejected:
                yield _rejected(row, base, names)

    log.info("%s to score, %s without a vector", counted(len(read), "row"), len(read.rejected))
    return ScoredFeatures((*base, *others), every())


def _answered(
    read: FeatureTable, model: FeatureModel, settings: ScoreFeaturesSettings, names: Sequence[str]
) -> Iterator[Row]:
    labels, classify = model.config.classes, _classify_settings(settings)
    for start in range(0, len(read), _BLOCK):
        places = range(start, min(start + _BLOCK, len(read)))
        cells = {name: every[start : start + _BLOCK] for name, every in read.cells.items()}
        answers = model.answers(np.asarray(read.vectors[start : start + _BLOCK]), cells)
        ends = None if labels else model.intervals(answers)
        for number, place in enumerate(places):
            path = read.paths[place]
            if labels:
                row = rows.classified(Picture(path), answers[number], labels, classify)
            else:
                low, high = (
                    (None, None) if ends is None else (rows.rounded(ends[0][number]), rows.rounded(ends[1][number]))
                )
                row = {
                    "images": path,
                    "value": rows.rounded(answers[number]),
                    "low": low,
                    "high": high,
                    "error": 0,
                    "reason": "",
                }
            yield row | {name: read.cells[name][place] for name in names}


def _classify_settings(settings: ScoreFeaturesSettings) -> ClassifySettings:
    return ClassifySettings(max_nb_labels=settings.max_nb_labels, min_threshold=settings.min_threshold)


def _rejected(row: Rejected, base: Sequence[rows.Column], names: Sequence[str]) -> Row:
    empty: Row = {column.name: None for column in base}
    cells = {name: row.cells.get(name) for name in names}
    return empty | {"images": row.path, "error": 1, "reason": row.reason} | cells


def _require_columns(table: Table, model: FeatureModel, folder: str) -> None:
    needed = [column.name for column in model.config.columns]
    needed += [model.config.combine_column] if model.config.combine_column else []
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise SettingsError(
            f"feature_dataset: model {folder!r} needs the column{'s' if len(missing) > 1 else ''} "
            f"{', '.join(map(repr, missing))}, which {table.name} lacks; it has {columns_listed(table.columns)}."
            + did_you_mean(missing[0], table.columns)
        )


def _compare_norms(read: FeatureTable, model: FeatureModel, name: str) -> None:
    """Warn when the vectors are much longer or shorter than those of the training: they may be of another model."""
    norms = np.linalg.norm(np.asarray(read.vectors[:_NORMS], np.float64), axis=1)
    vector = model.config.vector
    distance = abs(float(np.median(norms)) - vector.norm_mean)
    if distance > _FAR * max(vector.norm_deviation, 1e-3 * vector.norm_mean):
        log.warning(
            "vectors of %s are %.3g long, those of the training were %.3g: they may come from another model or layer, "
            "and the answers be wrong",
            name,
            float(np.median(norms)),
            vector.norm_mean,
        )


def _warn_of_unknown(read: FeatureTable, model: FeatureModel) -> None:
    for column in model.config.columns:
        unknown: Counter[str] = column.unknown(read.cells[column.name])
        if unknown:
            some = ", ".join(repr(text) for text, _ in unknown.most_common(5))
            log.warning(
                "column %r: %s the model does not know count as missing: %s",
                column.name,
                counted(unknown.total(), "cell whose value", "cells whose values"),
                some,
            )


__all__ = ["ScoredFeatures", "score_features"]
