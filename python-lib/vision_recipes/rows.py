"""The columns that the recipes write, and how a scored picture becomes a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.pictures import Picture


@dataclass(frozen=True)
class Column:
    """A column of an output dataset, in the storage types of the host platform (`string`, `double`, `array` …)."""

    name: str
    type: str
    comment: str = ""


CLASSIFIED = (
    Column("images", "string", "Path of the picture in the folder, with its leading slash"),
    Column("prediction", "string", "JSON object: label -> probability, best first"),
    Column("error", "int", "1 when the picture could not be read, else 0"),
    Column("label", "string", "The best label"),
    Column("probability", "double", "Probability of the best label"),
    Column("reason", "string", "Why there is no prediction; empty when there is one"),
)

EXTRACTED = (
    Column("images", "string", "Path of the picture in the folder, with its leading slash"),
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
)


def rejected(picture: Picture, columns: Sequence[Column]) -> dict[str, Any]:
    """Return the row of a picture without pixels: only its path, error 1 and the reason are filled."""
    row: dict[str, Any] = {column.name: None for column in columns}
    return row | {"images": picture.path, "error": 1, "reason": picture.reason}


def extracted(picture: Picture, vector: np.ndarray) -> dict[str, Any]:
    """Return the row of a picture with its feature vector, as a list of floats."""
    return {"images": picture.path, "prediction": vector.tolist(), "error": 0, "reason": ""}
