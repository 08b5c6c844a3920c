"""Cells of a table that join a picture's features, turned into the numbers that a head takes."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vision_recipes.preprocessing import ExtraColumn

LARGEST = 1e30
"""Numbers are cut to this size, so that sums and squares of them stay finite."""
FARTHEST = 100.0
"""A number counts as at most so many standard deviations from the mean."""
_MISSING = frozenset({"", "nan", "-nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none"})
_WHOLE_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+|-0")


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
        place = _places(column.categories).get(as_category(cell))
        return [float(place == index) for index in range(len(column.categories))]
    number = as_number(cell)
    return [0.0 if number is None else min(FARTHEST, max(-FARTHEST, (number - column.mean) / column.scale))]


def is_known(column: ExtraColumn, cell: Any) -> bool:
    """Return whether a cell holds a number, for a column of numbers, or one of the column's categories."""
    if column.kind == "number":
        return as_number(cell) is not None
    return as_category(cell) in _places(column.categories)


@functools.lru_cache(maxsize=64)
def _places(categories: tuple[str, ...]) -> dict[str | None, int]:
    """Return the place of each category by its text as `as_category` gives it now; models made earlier kept "1.0"."""
    return {as_category(categories[place]): place for place in reversed(range(len(categories)))}


def says_missing(cell: Any) -> bool:
    """Return whether a cell is empty or holds a usual spelling of missing, such as NaN or N/A."""
    return cell is None or str(cell).strip().lower() in _MISSING


def is_infinite(cell: Any) -> bool:
    """Return whether a cell is a number too large for float64, such as inf or 1e400."""
    try:
        return math.isinf(float(cell))
    except OverflowError:
        return True
    except (TypeError, ValueError):
        return False


def as_number(cell: Any) -> float | None:
    """Return a cell as a finite number (true and false as 1 and 0), or None when it holds none."""
    if isinstance(cell, str) and cell.strip().lower() in ("true", "false"):
        return float(cell.strip().lower() == "true")
    try:
        number = float(cell)
    except (OverflowError, TypeError, ValueError):
        return None
    return min(LARGEST, max(-LARGEST, number)) if math.isfinite(number) else None


def as_category(cell: Any) -> str | None:
    """Return a cell as text, or None when it is missing; numbers alike are texts alike.

    1, 1.0, "1", " 1" and "1.0" are "1"; true, "true" and "True" are "true". Texts such as "007" and "1e5" stay.
    """
    if cell is None or (isinstance(cell, (float, np.floating)) and not math.isfinite(cell)):
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).strip()
    if text.lower() in ("true", "false"):
        return text.lower()
    if whole := _WHOLE_NUMBER.fullmatch(text):
        return "0" if whole[1] in (None, "-0") else whole[1]
    return text or None
