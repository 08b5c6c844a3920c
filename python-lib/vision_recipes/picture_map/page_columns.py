"""Columns as the page takes them: categories, numbers or texts, small enough for it."""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_recipes.dataset.cell_text import column_text
from vision_recipes.picture_map.sources import MapColumn

_WHOLE_CATEGORIES, _MOST_CATEGORIES, _FEW = 10, 2000, 30
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{0,8}[1-9])?")
"""A text that is a number, and is written like that again; 007 and 1.50 stay texts."""

PageColumn = dict[str, Any]


def packed(values: np.ndarray) -> str:
    """Return an array's bytes, little-endian, as base64."""
    return base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode()


def page_column(column: MapColumn) -> PageColumn:
    """Return a column as JSON: its name, its kind, and its cells packed or as a list of texts ("" for none)."""
    numbers = _numbers(column.cells)
    if numbers is not None:
        filled = numbers[~np.isnan(numbers)]
        whole = bool((filled == np.rint(filled)).all())
        if not whole or len(np.unique(filled)) > _WHOLE_CATEGORIES:
            return {"name": column.name, "kind": "number", "cells": packed(numbers)}
    texts = cell_texts(column.cells)
    counts = Counter(texts)
    del counts[""]
    if len(counts) <= _FEW or (len(counts) <= _MOST_CATEGORIES and 2 * len(counts) <= counts.total()):
        return _categories(column.name, texts, counts)
    return {"name": column.name, "kind": "text", "cells": texts}


def category_column(name: str, texts: Sequence[str]) -> PageColumn:
    """Return a column of categories in any case, the most frequent first."""
    counts = Counter(texts)
    return _categories(name, texts, counts)


def _categories(name: str, texts: Sequence[str], counts: Counter[str]) -> PageColumn:
    """Code 0 is an empty cell, code 1 the first of `values`, the most frequent."""
    values = sorted((text for text in counts if text), key=lambda text: (-counts[text], text))
    codes = {"": 0} | {text: code for code, text in enumerate(values, 1)}
    cells = np.array([codes[text] for text in texts], np.uint16)
    return {"name": name, "kind": "category", "values": values, "cells": packed(cells)}


def cell_texts(cells: Sequence[Any]) -> list[str]:
    """Return cells as texts, arrays and objects as JSON, an empty one as ""."""
    flat = [
        json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, list | dict | tuple) else cell
        for cell in cells
    ]
    text = column_text(flat)
    return [text(cell) or "" for cell in flat]


def _numbers(cells: Sequence[Any]) -> np.ndarray | None:
    """Return cells as float64, NaN for an empty one; None when one is no number, or would be written differently."""
    numbers = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        if cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell)):
            continue
        if isinstance(cell, str) and not _NUMBER.fullmatch(cell):
            return None
        if isinstance(cell, bool | np.bool_) or not isinstance(cell, str | int | float | np.integer | np.floating):
            return None
        if isinstance(cell, int | np.integer) and abs(int(cell)) > 2**53:
            return None
        numbers[row] = float(cell)
    return None if np.isnan(numbers).all() or np.isinf(numbers).any() else numbers
