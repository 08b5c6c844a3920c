"""Cells of a table that join a picture's features, turned into the numbers that a head takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vision_recipes.models.config import ExtraColumn


def encode(columns: Sequence[ExtraColumn], row: Mapping[str, Any]) -> np.ndarray:
    """Return float32 (total width): standardised numbers, categories as one 1 among 0s; missing is the mean."""
    parts = [_encode_cell(column, row.get(column.name)) for column in columns]
    return np.array([value for part in parts for value in part], np.float32)


def _encode_cell(column: ExtraColumn, cell: Any) -> list[float]:
    if column.kind == "category":
        return [float(str(cell) == category) for category in column.categories]
    number = as_number(cell)
    return [0.0 if number is None else (number - column.mean) / column.scale]


def as_number(cell: Any) -> float | None:
    """Return a cell as a finite number (true and false as 1 and 0), or None when it holds none."""
    if isinstance(cell, str) and cell.strip().lower() in ("true", "false"):
        return float(cell.strip().lower() == "true")
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
