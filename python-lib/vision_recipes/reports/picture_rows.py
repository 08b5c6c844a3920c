"""A row for each scored picture: what it is, what it was taken for, and what another model says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vision_recipes.reports.comparison import Comparison
from vision_recipes.reports.predictions import Joined, Prediction, Predictions


def judged_rows(found: Predictions, joined: Joined, comparison: Comparison | None) -> Iterator[dict[str, Any]]:
    """Yield rows (rows.JUDGED): pictures with a truth, then those without one, then those without a prediction."""
    others = {first.path: other for first, other in comparison.pairs} if comparison else {}
    known = {picture.path for picture in joined.pictures}
    for picture in joined.pictures:
        yield _row(picture, others.get(picture.path))
    for picture in found.pictures:
        if picture.path not in known:
            yield _row(picture, None)
    for path, reason in found.rejected.items():
        yield {"images": path, "reason": reason}


def _row(picture: Prediction, other: Prediction | None) -> dict[str, Any]:
    told = picture.truth is not None
    return {
        "images": picture.path,
        "truth": picture.truth,
        "label": picture.label,
        "right": int(picture.right) if told else None,
        "probability": picture.probability,
        "probability_of_truth": picture.of_truth if told else None,
        "verdict": picture.verdict,
        "other_label": other.label if other else None,
        "other_right": int(other.right) if other else None,
        "reason": "",
    }
