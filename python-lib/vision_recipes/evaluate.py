"""The walk from predictions and true labels to metrics."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from vision_recipes.reports.metrics import measure
from vision_recipes.reports.predictions import join, read_predictions
from vision_recipes.settings import EvaluateSettings
from vision_recipes.stores import Table
from vision_recipes.training.labels import find_labels

log = logging.getLogger("vision_recipes")


def evaluate(predictions: Table, labels: Table | None, settings: EvaluateSettings) -> Iterator[dict[str, Any]]:
    """Return an iterator over the rows (rows.METRICS) that tell how good the predictions are.

    Raises PredictionsError or LabelsError before the first row when the tables cannot be used or do not join.
    """
    found = read_predictions(predictions)
    truths = find_labels(found.paths, settings, labels)
    for remark in truths.remarks():
        log.warning("true labels: %s", remark)
    joined = join(found, truths)
    log.info(
        "evaluated %d pictures; %d could not be scored, %d have no true label, %d true labels have no prediction, "
        "%d pictures were scored more than once",
        len(joined.pictures),
        joined.rejected,
        joined.without_truth,
        joined.without_prediction,
        joined.repeated_predictions,
    )
    return measure(joined)
