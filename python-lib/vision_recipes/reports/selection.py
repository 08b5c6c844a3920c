"""Which pictures are worth a look: the worst errors, the least certain, those whose label is likely wrong."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence

from vision_recipes.reports.predictions import Prediction


def worst_errors(pictures: Sequence[Prediction], most: int) -> list[Prediction]:
    """Return wrong pictures, those first where the true label got the least and the wrong one the most."""
    wrong = (picture for picture in pictures if not picture.right)
    return heapq.nlargest(most, wrong, key=lambda picture: (picture.probability or 0) - (picture.of_truth or 0))


def least_certain(pictures: Sequence[Prediction], most: int) -> list[Prediction]:
    """Return the pictures whose two best labels are closest together, right or wrong."""
    known = (picture for picture in pictures if picture.probability is not None)
    return heapq.nsmallest(most, known, key=_lead)


def likely_mislabelled(pictures: Sequence[Prediction], most: int) -> list[Prediction]:
    """Return wrong pictures whose best label is as probable as it usually is for its own class, the surest first.

    These are the off-diagonal counts of the confident joint (Northcutt, Jiang, Chuang 2021): either the model errs with
    conviction, or the label does.
    """
    shares: dict[str, list[float]] = defaultdict(list)
    for picture in pictures:
        if picture.of_truth is not None:
            shares[str(picture.truth)].append(picture.of_truth)
    usual = {label: sum(found) / len(found) for label, found in shares.items()}
    suspects = [
        picture
        for picture in pictures
        if not picture.right and picture.label in usual and (picture.probability or 0) >= usual[picture.label]
    ]
    return worst_errors(suspects, most)


def _lead(picture: Prediction) -> float:
    others = [share for label, share in picture.kept.items() if label != picture.label]
    return float(picture.probability or 0) - max(others, default=0.0)
