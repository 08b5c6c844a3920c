"""The report that a training leaves beside its model: the validation pictures, from the predictions in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np

from vision_recipes.dataset.splits import VALID
from vision_recipes.metrics import softmax
from vision_recipes.reports.metric_rows import metric_rows
from vision_recipes.reports.page import Evaluation, render_page
from vision_recipes.reports.predictions import LabelledPredictions, Prediction
from vision_recipes.reports.training_record import read_training_record
from vision_recipes.stores import Store
from vision_recipes.training.run_reports import PAGE, Run

log = logging.getLogger("vision_recipes")

_MOST_PROBABILITIES = 1_000_000
_LISTED = 5
"""So many of the most probable labels, and the true one, are kept of each picture when all would take much memory."""


def write_validation_page(output: Store, run: Run) -> list[str]:
    """Write the report into the folder of the model, which is complete, and return a sentence on where it is.

    A report that cannot be made is a warning: it never costs the model.
    """
    if VALID not in run.trained.logits:
        return []
    try:
        page = render_page(_evaluation(output, run))
        output.write("/" + PAGE, page)
    except Exception as err:
        log.warning("the model is complete, but its report could not be made: %s", err, exc_info=True)
        return []
    return [f"the report is {PAGE} in the model folder"]


def _evaluation(output: Store, run: Run) -> Evaluation:
    pictures = list(validation_predictions(run))
    evaluated = LabelledPredictions(pictures, 0, 0, 0, 0, 0, 0)
    return Evaluation(
        name=output.name,
        predictions=evaluated,
        rejected={},
        rows=list(metric_rows(evaluated)),
        training=read_training_record(output),
        pictures=run.source.pictures,
        held_out=True,
    )


def validation_predictions(run: Run) -> Iterator[Prediction]:
    """Yield the predictions of the validation pictures with their true labels."""
    images = run.images.subset(VALID)
    probabilities = softmax(run.trained.logits[VALID].astype(np.float64))
    listed = len(images.classes) if probabilities.size <= _MOST_PROBABILITIES else _LISTED
    for path, target, row in zip(images.paths, images.targets, probabilities, strict=True):
        order = np.argsort(-row, kind="stable")
        best = [*order[:listed], *([target] if target not in order[:listed] else [])]
        found = {images.classes[number]: float(row[number]) for number in best}
        label = images.classes[order[0]]
        yield Prediction(path, label, found[label], found, truth=images.classes[target])
