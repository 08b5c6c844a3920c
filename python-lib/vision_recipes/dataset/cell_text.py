"""Cells of a table as text: labels, paths and words, exactly as somebody wrote them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

_LARGEST_WHOLE = 2**53
"""Beyond it, a float no longer tells neighbouring whole numbers apart."""


def label_text(cell: Any) -> str | None:
    """Return a cell as text as written (`NA` and `007` are text like any other), or None when it is missing."""
    if cell is None or (isinstance(cell, float | np.floating) and np.isnan(cell)):
        return None
    text = ("true" if cell else "false") if isinstance(cell, bool | np.bool_) else str(cell)
    return text if text.strip() else None


def column_text(cells: Iterable[Any]) -> Callable[[Any], str | None]:
    """Return the function that turns the cells of a column into text: label_text, except for whole numbers.

    A column of whole numbers in which a cell is missing is often stored as floats. Then 1.0 is `1`. A column with any
    other number or with text is left alone, and so is the text `1.0`.
    """
    filled = [cell for cell in cells if label_text(cell) is not None]
    if not any(isinstance(cell, float | np.floating) for cell in filled) or not all(map(_is_whole, filled)):
        return label_text
    return lambda cell: label_text(int(cell) if isinstance(cell, float | np.floating) and _is_whole(cell) else cell)


def folded(label: str) -> str:
    """Return what labels that differ only in case, in blanks or in Unicode composition have in common."""
    return " ".join(unicodedata.normalize("NFKC", label).split()).casefold()


def _is_whole(cell: Any) -> bool:
    if isinstance(cell, bool | np.bool_):
        return False
    if isinstance(cell, float | np.floating):
        number = float(cell)
        return abs(number) < _LARGEST_WHOLE and number.is_integer()
    return isinstance(cell, int | np.integer)
