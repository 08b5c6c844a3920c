"""What the recipe vision-check-labels wrote, read back from its table for a page."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vision_recipes.dataset.paths import label_text
from vision_recipes.errors import PredictionsError
from vision_recipes.report_columns import CHECKED
from vision_recipes.stores import Table


@dataclass(frozen=True)
class Suspicion:
    """A picture with its given label, the label that its looks suggest, and how suspicious that is (0 to 1).

    `issue` is empty for a picture that nothing is wrong with; `neighbours` are the paths of the pictures most like it.
    """

    path: str
    given: str
    suggested: str
    degree: float
    issue: str
    neighbours: tuple[str, ...] = ()


def read_suspicions(table: Table) -> list[Suspicion]:
    """Return the suspicions of a table, the worst first; raises PredictionsError when it is another table."""
    missing = [column.name for column in CHECKED if column.name not in table.columns]
    if missing:
        raise PredictionsError(
            f"Dataset {table.name} is not what vision-check-labels writes: it lacks {', '.join(missing)}. "
            "Choose its output, or leave the role empty."
        )
    return sorted(_read(table), key=lambda suspicion: -suspicion.degree)


def _read(table: Table) -> Iterator[Suspicion]:
    for row in table.rows():
        path = label_text(row.get("images"))
        if path is not None:
            yield Suspicion(
                path,
                label_text(row.get("label")) or "",
                label_text(row.get("suggested_label")) or "",
                _degree(row.get("suspicion")),
                label_text(row.get("issue")) or "",
                tuple(_paths(row.get("neighbours"))),
            )


def _degree(cell: Any) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0


def _paths(cell: Any) -> Iterator[str]:
    try:
        found = json.loads(cell) if isinstance(cell, str) and cell else cell
    except (ValueError, RecursionError):
        return
    for item in found if isinstance(found, list) else []:
        if isinstance(item, dict) and isinstance(item.get("path"), str):
            yield item["path"]
