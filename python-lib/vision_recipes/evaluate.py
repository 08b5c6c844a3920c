"""Evaluate: from predictions and true labels to metrics, a row per picture, and a report."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vision_recipes.dataset import extra_columns
from vision_recipes.dataset.labels import find_labels
from vision_recipes.errors import SettingsError
from vision_recipes.listed_once import listed_once
from vision_recipes.report_columns import JUDGED
from vision_recipes.reports.comparison import Comparison, compare
from vision_recipes.reports.label_issues import read_checked_labels
from vision_recipes.reports.metric_rows import metric_rows
from vision_recipes.reports.page import Evaluation, render_page
from vision_recipes.reports.predictions import LabelledPredictions, Predictions, join, read_predictions
from vision_recipes.reports.rendering import write_page
from vision_recipes.reports.slices import Slice, find_slices, slice_rows
from vision_recipes.reports.training_record import read_training_record
from vision_recipes.stores import OutputTable, Store, Table
from vision_recipes.training_settings import EvaluateSettings
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")


@dataclass(frozen=True)
class OptionalInputs:
    """What may be connected in addition to predictions and labels.

    `other` are another model's predictions, `checked` is what vision-check-labels wrote of `checked_pictures`.
    """

    pictures: Store | None = None
    model: Store | None = None
    other: Table | None = None
    checked: Table | None = None
    checked_pictures: Store | None = None


@dataclass(frozen=True)
class OptionalOutputs:
    """What may be connected in addition to the metrics: a row per picture, a folder for the report."""

    pictures: OutputTable | None = None
    report: Store | None = None


def evaluate(
    predictions: Table,
    labels: Table | None,
    settings: EvaluateSettings,
    inputs: OptionalInputs = OptionalInputs(),  # noqa: B008 - frozen
    outputs: OptionalOutputs = OptionalOutputs(),  # noqa: B008 - frozen
) -> Iterator[dict[str, Any]]:
    """Return an iterator over the metrics (report_columns.METRICS) of the predictions; write the other outputs.

    Raises PredictionsError, LabelsError, SettingsError or ModelFolderError before the first row when an input cannot be
    used or does not join.
    """
    found = read_predictions(predictions)
    training = read_training_record(inputs.model) if inputs.model else None
    classes = training.model.label_keys if training else ()
    evaluated = _join(found, labels, settings, predictions.name, classes)
    checked = read_checked_labels(inputs.checked) if inputs.checked else []
    comparison = None
    if inputs.other is not None:
        other = _join(read_predictions(inputs.other), labels, settings, inputs.other.name)
        comparison = compare(evaluated.pictures, other.pictures, inputs.other.name)
    slices = _slices(found, evaluated, labels, settings)
    rows = [*metric_rows(evaluated), *slice_rows(slices), *(comparison.rows() if comparison else ())]
    if outputs.pictures is not None:
        outputs.pictures.write(JUDGED, _picture_rows(found, evaluated, comparison))
    if outputs.report is not None:
        evaluation = Evaluation(
            name=predictions.name,
            predictions=evaluated,
            rejected=found.rejected,
            rows=rows,
            slices=slices,
            comparison=comparison,
            training=training,
            pictures=listed_once(inputs.pictures),
            checked=checked,
            checked_pictures=listed_once(inputs.checked_pictures),
        )
        write_page(outputs.report, render_page(evaluation))
    return iter(rows)


def _join(
    found: Predictions, labels: Table | None, settings: EvaluateSettings, name: str, classes: Sequence[str] = ()
) -> LabelledPredictions:
    truths = find_labels(found.paths, settings, labels)
    for remark in truths.remarks():
        log.warning("true labels: %s", remark)
    evaluated = join(found, truths, name, classes)
    log.info(
        "evaluated %s; not scored: %d, without a true label: %d, true labels without a prediction: %d, scored more "
        "than once: %d (%s)",
        counted(len(evaluated.pictures), "picture"),
        evaluated.rejected,
        evaluated.without_truth,
        evaluated.without_prediction,
        evaluated.repeated_predictions,
        name,
    )
    return evaluated


def _slices(
    found: Predictions, evaluated: LabelledPredictions, labels: Table | None, settings: EvaluateSettings
) -> list[Slice]:
    if not settings.slice_columns:
        return []
    if labels is None:
        raise SettingsError(
            f"slice_columns: {', '.join(settings.slice_columns)} should slice the pictures, but no label dataset is "
            "connected. Connect one with these columns and the pictures' paths."
        )
    cells = extra_columns.join(labels, found.paths, settings.slice_columns, settings.col_filename)
    return find_slices(evaluated.pictures, cells, settings.slice_columns)


def _picture_rows(
    found: Predictions, evaluated: LabelledPredictions, comparison: Comparison | None
) -> Iterator[dict[str, Any]]:
    """Yield rows (JUDGED): with a true label, then without one, then without a prediction."""
    others = {first.path: other for first, other in comparison.pairs} if comparison else {}
    labelled = {picture.path for picture in evaluated.pictures}
    unlabelled = [picture for picture in found.pictures if picture.path not in labelled]
    for picture in [*evaluated.pictures, *unlabelled]:
        has_truth, other = picture.truth is not None, others.get(picture.path)
        yield {
            "images": picture.path,
            "truth": picture.truth,
            "label": picture.label,
            "right": int(picture.right) if has_truth else None,
            "probability": picture.probability,
            "probability_of_truth": picture.probability_of_truth if has_truth else None,
            "verdict": picture.verdict,
            "other_label": other.label if other else None,
            "other_right": int(other.right) if other else None,
            "reason": "",
        }
    for path, reason in found.rejected.items():
        yield {"images": path, "reason": reason}
