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
    Column("label", "string", "The best label"),
    Column("probability", "double", "Probability of the best label"),
    Column("reason", "string", "Why there is no prediction; empty when there is one"),
)

VERDICT = Column("verdict", "string", "known, unsure (look at it) or unknown (like nothing it was trained on)")

REVIEW = (
    IMAGES,
    Column("verdict", "string", "unsure or unknown"),
    Column("oddness", "double", "How far it is from what is known; the first rows are the worst"),
    Column("label", "string", "The best label"),
    Column("probability", "double", "Probability of the best label"),
    Column("second_label", "string", "The second-best label"),
    Column("second_probability", "double", "Its probability"),
)

EXTRACTED = (
    IMAGES,
    Column("prediction", "array", "The feature vector: one number per unit of the extracted layer"),
    Column("error", "int", "1 when the picture could not be read, else 0"),
    Column("reason", "string", "Why there is no vector; empty when there is one"),
)

METRICS = (
    Column("metric", "string", "Name of the metric"),
    Column("class", "string", "The class it is about; empty for the whole"),
    Column("predicted", "string", "For confusion counts: the class that was predicted"),
    Column("value", "double", "The value"),
    Column("support", "bigint", "How many pictures it is computed from"),
    Column("slice_column", "string", "For figures on a part of the pictures: the column that tells the parts"),
    Column("slice", "string", "For figures on a part of the pictures: its value in that column"),
)

JUDGED = (
    IMAGES,
    Column("truth", "string", "The true label; empty when it is not known"),
    Column("label", "string", "The predicted label; empty when there is none"),
    Column("right", "int", "1 when both are the same, 0 when not, empty when one is missing"),
    Column("probability", "double", "Probability of the predicted label"),
    Column("probability_of_truth", "double", "Probability of the true label; empty when it was not kept"),
    Column("verdict", "string", "known, unsure or unknown, as the classify recipe wrote it"),
    Column("other_label", "string", "The label that the other model predicted"),
    Column("other_right", "int", "1 when the other model is right, 0 when not"),
    Column("reason", "string", "Why there is no prediction; empty when there is one"),
)

EXPLAINED = (
    IMAGES,
    Column("label", "string", "The label that is explained"),
    Column("probability", "double", "Its probability"),
    Column("border_share", "double", "Share of the heat in the outer tenth of each side; 0.36 would be even"),
    Column("centre_x", "double", "Centre of the heat, from 0 (left) to 1"),
    Column("centre_y", "double", "Centre of the heat, from 0 (top) to 1"),
    Column("extent", "double", "Smallest part of the picture that holds half of the heat; 0.5 would be even"),
    Column("drop_hottest", "double", "How much the probability falls when the hottest fifth of the picture is hidden"),
    Column("drop_random", "double", "How much it falls when a random fifth is hidden"),
    Column("overlay", "string", "Path of the overlay picture in the heat folder"),
    Column("error", "int", "1 when the picture could not be read, else 0"),
    Column("reason", "string", "Why there is no heat map; empty when there is one"),
)

CHECKED = (
    IMAGES,
    Column("label", "string", "The given label"),
    Column("suggested_label", "string", "The label that the picture's looks suggest"),
    Column("suspicion", "double", "How suspicious the given label is, from 0 to 1"),
    Column("issue", "string", "wrong_label, conflicting_copy, copy, outlier, or empty when nothing is wrong"),
    Column("probability", "double", "Probability of the given label, from a model that did not see the picture"),
    Column("strangeness", "double", "How far it is from its nearest pictures; 1 is usual"),
    Column("neighbours", "string", "JSON array of the pictures most like it: path, label, likeness"),
    Column(
        "decision",
        "string",
        "accept (the given label stays), relabel (takes the suggested one) or drop; for you to fill",
    ),
    Column("rank", "bigint", "1 for the most suspicious"),
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
