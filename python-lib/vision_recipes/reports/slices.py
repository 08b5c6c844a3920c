"""How good predictions are on slices of the pictures: one slice for each value of a table's column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.dataset.column_encoding import as_category, as_number
from vision_recipes.reports.metric_rows import Row, accuracy_metrics, metric_row
from vision_recipes.reports.predictions import Prediction

EMPTY, OTHERS = "(empty)", "(other values)"
MOST_VALUES = 50
"""Of a column with more values, the rarest go together as one slice."""
_FEW_NUMBERS, _PARTS = 12, 4


@dataclass(frozen=True)
class Slice:
    """The pictures whose cell in `column` is `value`."""

    column: str
    value: str
    pictures: Sequence[Prediction]

    def metrics(self) -> dict[str, float]:
        """Return the accuracy metrics of the slice by name, each with the prefix `slice_`."""
        return {f"slice_{name}": value for name, value in accuracy_metrics(self.pictures).items()}


def find_slices(
    pictures: Sequence[Prediction], cells: Mapping[str, Mapping[str, Any]], columns: Sequence[str]
) -> list[Slice]:
    """Return the slices by each column; `cells` maps paths to rows of the table.

    A column of numbers with more than 12 different values is cut into quarters. A missing cell is a value too.
    """
    found = []
    for column in dict.fromkeys(columns):
        values = _values([cells.get(picture.path, {}).get(column) for picture in pictures])
        parts: dict[str, list[Prediction]] = {}
        for picture, value in zip(pictures, values, strict=True):
            parts.setdefault(value, []).append(picture)
        common = sorted(parts, key=lambda value: -len(parts[value]))
        for rare in common[MOST_VALUES:]:
            parts.setdefault(OTHERS, []).extend(parts.pop(rare))
        found += [Slice(column, value, part) for value, part in parts.items()]
    return found


def slice_rows(slices: Sequence[Slice]) -> Iterator[Row]:
    """Yield a row (report_columns.METRICS) per slice and metric."""
    for part in slices:
        for name, value in part.metrics().items():
            yield metric_row(name, value, len(part.pictures), slice_column=part.column, slice=part.value)


def _values(cells: Sequence[Any]) -> list[str]:
    texts = [as_category(cell) for cell in cells]
    numbers = [as_number(cell) for cell, text in zip(cells, texts, strict=True) if text is not None]
    known = np.array([number for number in numbers if number is not None])
    if len(known) < len(numbers) or len(set(known.tolist())) <= _FEW_NUMBERS:
        return [EMPTY if text is None else text[:200] for text in texts]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _PARTS + 1)))
    names = [f"{low:.4g} to {high:.4g}" for low, high in zip(edges, edges[1:], strict=False)]
    places = np.clip(np.searchsorted(edges[1:-1], known, side="left"), 0, len(names) - 1)
    named = iter(places)
    return [EMPTY if text is None else names[next(named)] for text in texts]
