"""The walk from predictions and true labels to metrics, a row per picture, and a page to look at."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vision_recipes.dataset import extra_columns
from vision_recipes.dataset.labels import find_labels
from vision_recipes.errors import SettingsError
from vision_recipes.report_columns import JUDGED
from vision_recipes.reports.comparison import compare
from vision_recipes.reports.label_issues import read_suspicions
from vision_recipes.reports.metrics import measure
from vision_recipes.reports.page import Evidence, draw_page
from vision_recipes.reports.picture_rows import judged_rows
from vision_recipes.reports.predictions import Joined, Predictions, join, read_predictions
from vision_recipes.reports.slices import Slice, find_slices, slice_rows
from vision_recipes.reports.training_record import read_record
from vision_recipes.settings import EvaluateSettings
from vision_recipes.stores import OutputTable, Store, Table

log = logging.getLogger("vision_recipes")

PAGE = "/index.html"


@dataclass(frozen=True)
class Beside:
    """What may be connected beside predictions and labels.

    `other` are another model's predictions, `checked` is what vision-check-labels wrote of `checked_pictures`.
    """

    pictures: Store | None = None
    model: Store | None = None
    other: Table | None = None
    checked: Table | None = None
    checked_pictures: Store | None = None


@dataclass(frozen=True)
class Outputs:
    """What is wanted beside the metrics: a row per picture, a folder with the page."""

    pictures: OutputTable | None = None
    report: Store | None = None


def evaluate(
    predictions: Table,
    labels: Table | None,
    settings: EvaluateSettings,
    beside: Beside = Beside(),  # noqa: B008 - frozen
    outputs: Outputs = Outputs(),  # noqa: B008 - frozen
) -> Iterator[dict[str, Any]]:
    """Return an iterator over the metrics as rows (report_columns.METRICS); write what else is wanted.

    Raises PredictionsError, LabelsError, SettingsError or ModelFolderError before the first row when something that is
    connected cannot be used or does not join.
    """
    found = read_predictions(predictions)
    joined = _join(found, labels, settings, predictions.name)
    record = read_record(beside.model) if beside.model else None
    checked = read_suspicions(beside.checked) if beside.checked else []
    comparison = None
    if beside.other is not None:
        other = _join(read_predictions(beside.other), labels, settings, beside.other.name)
        comparison = compare(joined.pictures, other.pictures, beside.other.name)
    slices = _slices(joined, labels, settings)
    rows = [*measure(joined), *slice_rows(slices), *(comparison.rows() if comparison else ())]
    if outputs.pictures is not None:
        outputs.pictures.write(JUDGED, judged_rows(found, joined, comparison))
    if outputs.report is not None:
        evidence = Evidence(
            name=predictions.name,
            joined=joined,
            rejected=found.rejected,
            rows=rows,
            slices=slices,
            comparison=comparison,
            other_name=beside.other.name if beside.other else "",
            record=record,
            pictures=beside.pictures,
            checked=checked,
            checked_pictures=beside.checked_pictures,
        )
        outputs.report.write(PAGE, draw_page(evidence))
        log.info("the page is %s in folder %s", PAGE.strip("/"), outputs.report.name)
    return iter(rows)


def _join(found: Predictions, labels: Table | None, settings: EvaluateSettings, name: str) -> Joined:
    truths = find_labels(found.paths, settings, labels)
    for remark in truths.remarks():
        log.warning("true labels: %s", remark)
    joined = join(found, truths)
    log.info(
        "evaluated %d pictures; %d could not be scored, %d have no true label, %d true labels have no "
        "prediction, %d pictures were scored more than once (%s)",
        len(joined.pictures),
        joined.rejected,
        joined.without_truth,
        joined.without_prediction,
        joined.repeated_predictions,
        name,
    )
    return joined


def _slices(joined: Joined, labels: Table | None, settings: EvaluateSettings) -> list[Slice]:
    if not settings.slice_columns:
        return []
    if labels is None:
        raise SettingsError(
            f"slice_columns: {', '.join(settings.slice_columns)} should part the pictures, but no label dataset is "
            "connected. Connect one with these columns and the pictures' paths."
        )
    paths = [picture.path for picture in joined.pictures]
    cells = extra_columns.join(labels, paths, settings.slice_columns, settings.col_filename)
    return find_slices(joined.pictures, cells, settings.slice_columns)
