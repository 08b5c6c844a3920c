"""The columns that the recipes write, and how a scored picture becomes a row."""

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

EXTRACTED = (
    IMAGES,
    Column("prediction", "array", "Feature vector: one number per unit of the extracted layer"),
    Column("error", "int", "1 when the picture could not be read, else 0"),
    Column("reason", "string", "Why there is no feature vector; empty when there is one"),
)

METRICS = (
    Column("metric", "string", "Name of the metric"),
    Column("class", "string", "The class it applies to; empty for all classes together"),
    Column("predicted", "string", "For the confusion matrix: the predicted class"),
    Column("value", "double", "Value of the metric"),
    Column("support", "bigint", "Number of pictures it is computed from"),
    Column("slice_column", "string", "For metrics of a slice: the column that defines the slices"),
    Column("slice", "string", "For metrics of a slice: its value in that column"),
)

JUDGED = (
    IMAGES,
    Column("truth", "string", "True label; empty when there is none"),
    Column("label", "string", "Predicted label; empty when there is none"),
    Column("right", "int", "1 when the prediction is correct, 0 when not, empty when a label is missing"),
    Column("probability", "double", "Probability of the predicted label"),
    Column("probability_of_truth", "double", "Probability of the true label; empty when the scored dataset lacks it"),
    Column("verdict", "string", "known, unsure or unknown, as written by the classify recipe"),
    Column("other_label", "string", "Label predicted by the other model"),
    Column("other_right", "int", "1 when the other model is correct, 0 when not"),
    Column("reason", "string", "Why there is no prediction; empty when there is one"),
)

EXPLAINED = (
    IMAGES,
    Column("label", "string", "The label that is explained"),
    Column("probability", "double", "Probability of this label"),
    Column("border_share", "double", "Fraction of the saliency in the outer tenth of each side; evenly spread: 0.36"),
    Column("centre_x", "double", "Centre of the saliency, from 0 (left) to 1 (right)"),
    Column("centre_y", "double", "Centre of the saliency, from 0 (top) to 1 (bottom)"),
    Column("extent", "double", "Smallest fraction of the area with half of the saliency; evenly spread: 0.5"),
    Column("drop_hottest", "double", "Drop in probability when the most salient fifth of the picture is hidden"),
    Column("drop_random", "double", "Drop in probability when a random fifth of the picture is hidden"),
    Column("overlay", "string", "Path of the saliency map in the folder of saliency maps"),
    Column("error", "int", "1 when the picture could not be read, else 0"),
    Column("reason", "string", "Why there is no saliency map; empty when there is one"),
)

CHECKED = (
    IMAGES,
    Column("label", "string", "The given label"),
    Column("suggested_label", "string", "The label that the model suggests"),
    Column("suspicion", "double", "How likely the given label is wrong, from 0 to 1; a score, not a probability"),
    Column("issue", "string", "wrong_label, conflicting_copy, copy, outlier or unreadable; empty when there is none"),
    Column("probability", "double", "Probability of the given label, by a model that was not trained on the picture"),
    Column("strangeness", "double", "Outlier score: mean distance to the nearest neighbours; 1 is typical"),
    Column("neighbours", "string", "JSON array of the nearest neighbours: path, label, likeness (cosine similarity)"),
    Column(
        "decision",
        "string",
        "accept (keep the given label), relabel (use the suggested label) or drop; for you to fill in",
    ),
    Column("rank", "bigint", "1 = most suspicious"),
)


def rejected(picture: Picture, columns: Sequence[Column]) -> dict[str, Any]:
    """Return the row of a picture without pixels: only its path, error 1 and the reason are filled."""
    row: dict[str, Any] = {column.name: None for column in columns}
    return row | {"images": picture.path, "error": 1, "reason": picture.reason}


def classified(
    picture: Picture, scores: np.ndarray, labels: Sequence[str], settings: ClassifySettings
) -> dict[str, Any]:
    """Return the row of a scored picture; `labels` are in output order, each of them once.

    `prediction` holds at most `max_nb_labels` labels of at least `min_threshold`, best first; `label` and `probability`
    tell the best one whatever the threshold. Probabilities keep six significant digits.
    """
    order = np.argsort(-scores, kind="stable")[: settings.max_nb_labels]
    best = [(labels[place], float(f"{scores[place]:.6g}")) for place in order]
    told = {label: probability for label, probability in best if probability >= settings.min_threshold}
    return {
        "images": picture.path,
        "prediction": json.dumps(told, ensure_ascii=False),
        "error": 0,
        "label": best[0][0],
        "probability": best[0][1],
        "reason": "",
    }


def extracted(picture: Picture, vector: np.ndarray) -> dict[str, Any]:
    """Return the row of a picture with its feature vector, as a list of floats."""
    return {"images": picture.path, "prediction": vector.tolist(), "error": 0, "reason": ""}


def doubtful(picture: Picture, scores: np.ndarray, labels: Sequence[str], judged: tuple[str, float]) -> dict[str, Any]:
    """Return the row (REVIEW) of a picture that is not known; `judged` are its verdict and oddness."""
    order = np.argsort(-scores, kind="stable")
    best, second = (int(order[0]), int(order[min(1, len(order) - 1)]))
    return {
        "images": picture.path,
        "verdict": judged[0],
        "oddness": float(f"{judged[1]:.6g}"),
        "label": labels[best],
        "probability": float(f"{scores[best]:.6g}"),
        "second_label": labels[second],
        "second_probability": float(f"{scores[second]:.6g}"),
    }
