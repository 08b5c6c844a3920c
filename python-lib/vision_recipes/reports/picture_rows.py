"""A row for each scored picture: its true label, the predicted one, and what another model predicts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vision_recipes.reports.comparison import Comparison
from vision_recipes.reports.predictions import LabelledPredictions, Predictions


def picture_rows(
    found: Predictions, evaluated: LabelledPredictions, comparison: Comparison | None
) -> Iterator[dict[str, Any]]:
    """Yield rows (report_columns.JUDGED): with a true label, then without one, then without a prediction."""
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
