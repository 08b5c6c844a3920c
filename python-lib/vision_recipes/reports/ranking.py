"""The pictures worth a look: the worst errors, the least certain predictions, likely label errors."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence

from vision_recipes.reports.predictions import Prediction


def worst_errors(pictures: Sequence[Prediction], most: int) -> list[Prediction]:
    """Return wrong predictions, the largest margin between the predicted and the true label's probability first."""
    wrong = (picture for picture in pictures if not picture.right)
    return heapq.nlargest(
        most, wrong, key=lambda picture: (picture.probability or 0) - (picture.probability_of_truth or 0)
    )


def least_certain(pictures: Sequence[Prediction], most: int) -> list[Prediction]:
    """Return the predictions with the smallest margin between the two most probable labels, right or wrong."""
    known = (picture for picture in pictures if picture.probability is not None)
    return heapq.nsmallest(most, known, key=_margin)


def likely_label_errors(pictures: Sequence[Prediction], most: int) -> list[Prediction]:
    """Return wrong predictions at least as probable as pictures of that class usually get, the worst first.

    These are the off-diagonal counts of the confident joint (Northcutt, Jiang, Chuang, Confident learning, 2021):
    either the model is wrong with high confidence, or the label is wrong.
    """
    probabilities: dict[str, list[float]] = defaultdict(list)
    for picture in pictures:
        if picture.probability_of_truth is not None:
            probabilities[str(picture.truth)].append(picture.probability_of_truth)
    usual = {label: sum(found) / len(found) for label, found in probabilities.items()}
    confident = [
        picture
        for picture in pictures
        if not picture.right and picture.label in usual and (picture.probability or 0) >= usual[picture.label]
    ]
    return worst_errors(confident, most)


def _margin(picture: Prediction) -> float:
    others = [probability for label, probability in picture.probabilities.items() if label != picture.label]
    return float(picture.probability or 0) - max(others, default=0.0)
