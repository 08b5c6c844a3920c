"""The columns that classify and extract write, and how a picture with its result becomes a row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.pictures import Picture
from vision_recipes.settings import ClassifySettings


@dataclass(frozen=True)
class Column:
    """A column of an output dataset, in the storage types of the host platform (`string`, `double`, `array` …)."""

    name: str
    type: str
    comment: str = ""


IMAGES = Column("images", "string", "Path of the picture in the folder, with its leading slash")
"""The first column of every table with a row per picture."""

CLASSIFIED = (
    IMAGES,
    Column("prediction", "string", "JSON object: label -> probability, best first"),
    Column("error", "int", "1 when the picture could not be read, else 0"),
    Column("label", "string", "The predicted label"),
    Column("probability", "double", "Probability of the predicted label"),
    Column("reason", "string", "Why there is no prediction; empty when there is one"),
)

_JSON = json.JSONEncoder(ensure_ascii=False)
_FEW = 10
"""So many of a thousand scores are found sooner one by one than by sorting all."""

KNOWN, UNSURE, UNKNOWN = "known", "unsure", "unknown"
VERDICT = Column("verdict", "string", "known, unsure (review it) or unknown (unlike all training pictures)")

REVIEW = (
    IMAGES,
    Column("verdict", "string", "unsure or unknown"),
    Column("oddness", "double", "Out-of-distribution score; the highest comes first"),
    Column("label", "string", "The predicted label"),
    Column("probability", "double", "Probability of the predicted label"),
    Column("second_label", "string", "The second most probable label"),
    Column("second_probability", "double", "Probability of the second label"),
)

VECTOR = Column("prediction", "array", "Feature vector: one number per unit of the extracted layer")
_WITH_ERROR = Column("error", "int", "1 when the picture could not be read, else 0")
_WITHOUT_VECTOR = Column("reason", "string", "Why there is no feature vector; empty when there is one")
EXTRACTED = (IMAGES, VECTOR, _WITH_ERROR, _WITHOUT_VECTOR)


def rejected(picture: Picture, columns: Sequence[Column]) -> dict[str, Any]:
    """Return the row of a picture without a result: only its path, error 1 and the reason are filled."""
    row: dict[str, Any] = {column.name: None for column in columns}
    return row | {"images": picture.path, "error": 1, "reason": picture.reason}


def classified(
    picture: Picture, scores: np.ndarray, labels: Sequence[str], settings: ClassifySettings
) -> dict[str, Any]:
    """Return the row of a scored picture; `labels` are in output order, each of them once.

    `prediction` holds at most `max_nb_labels` labels with a probability of at least `min_threshold`, most probable
    first; `label` and `probability` are those of the first, whatever the threshold. Probabilities keep six significant
    digits.
    """
    order = _highest(scores, settings.max_nb_labels)
    best = [(labels[place], rounded(score)) for place, score in zip(order, scores[order].tolist(), strict=True)]
    prediction = {label: probability for label, probability in best if probability >= settings.min_threshold}
    return {
        "images": picture.path,
        "prediction": _JSON.encode(prediction),
        "error": 0,
        "label": best[0][0],
        "probability": best[0][1],
        "reason": "",
    }


def extracted(picture: Picture, vector: np.ndarray, columns: Sequence[Column] = (VECTOR,)) -> dict[str, Any]:
    """Return the row of a picture with its feature vector: a list of floats, or one in each of several columns."""
    numbers = vector.tolist()
    cells = zip((column.name for column in columns), [numbers] if columns == (VECTOR,) else numbers, strict=True)
    return {"images": picture.path, **dict(cells), "error": 0, "reason": ""}


def flagged(
    picture: Picture, scores: np.ndarray, labels: Sequence[str], verdict: str, ood_score: float
) -> dict[str, Any]:
    """Return the row (REVIEW) of a scored picture whose verdict is unsure or unknown."""
    order = _highest(scores, 2)
    best, second = order[0], order[min(1, len(order) - 1)]
    return {
        "images": picture.path,
        "verdict": verdict,
        "oddness": rounded(ood_score),
        "label": labels[best],
        "probability": rounded(scores[best]),
        "second_label": labels[second],
        "second_probability": rounded(scores[second]),
    }


def _highest(scores: np.ndarray, count: int) -> list[int]:
    """Return the places of the highest scores, at most `count`, highest first; of equal ones the earlier is first."""
    if count > _FEW:
        return np.argsort(-scores, kind="stable")[:count].tolist()
    left, places = scores.copy(), []
    for _ in range(min(count, len(scores))):
        places.append(int(left.argmax()))
        left[places[-1]] = -np.inf
    return places


def rounded(number: float) -> float:
    """Return a number with six significant digits."""
    return float(f"{number:.6g}")
