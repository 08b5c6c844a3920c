"""Cells of a table that join a picture's features, turned into the numbers that a head takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vision_recipes.preprocessing import ExtraColumn

LARGEST = 1e30
"""Numbers are cut to this size, so that sums and squares of them stay finite."""
FARTHEST = 100.0
"""A number counts as at most so many standard deviations from the mean."""


def encode(columns: Sequence[ExtraColumn], row: Mapping[str, Any] | None) -> np.ndarray:
    """Return float32 (total width): standardised numbers, categories as one 1 among 0s; missing is the mean."""
    parts = [_encode_cell(column, None if row is None else row.get(column.name)) for column in columns]
    return np.array([value for part in parts for value in part], np.float32)


def encode_missing(columns: Sequence[ExtraColumn]) -> Callable[[object], np.ndarray] | None:
    """Return a function that gives any picture the encoding of an empty row; None when there are no columns."""
    if not columns:
        return None
    missing = encode(columns, None)
    return lambda picture: missing


def _encode_cell(column: ExtraColumn, cell: Any) -> list[float]:
    if column.kind == "category":
        text = as_category(cell)
        return [float(text == category) for category in column.categories]
    number = as_number(cell)
    return [0.0 if number is None else min(FARTHEST, max(-FARTHEST, (number - column.mean) / column.scale))]


def as_number(cell: Any) -> float | None:
    """Return a cell as a finite number (true and false as 1 and 0), or None when it holds none."""
    if isinstance(cell, str) and cell.strip().lower() in ("true", "false"):
        return float(cell.strip().lower() == "true")
    try:
        number = float(cell)
    except OverflowError:
        return LARGEST if cell > 0 else -LARGEST
    except (TypeError, ValueError):
        return None
    return min(LARGEST, max(-LARGEST, number)) if math.isfinite(number) else None


def as_category(cell: Any) -> str | None:
    """Return a cell as text, or None when it is missing; numbers alike are texts alike, whether 3, 3.0 or true."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return None
    if isinstance(cell, (bool, np.bool_)):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() or None
