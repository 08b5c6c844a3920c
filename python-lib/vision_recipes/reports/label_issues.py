"""Label issues as the recipe vision-check-labels wrote them, read back from its table for the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vision_recipes.dataset.cell_text import label_text
from vision_recipes.dataset.column_encoding import as_number
from vision_recipes.errors import PredictionsError
from vision_recipes.report_columns import CHECKED
from vision_recipes.stores import Table


@dataclass(frozen=True)
class CheckedLabel:
    """A picture with its given label, the suggested label, and the suspicion: how probably the given one is wrong.

    `issue` is empty when there is none; `neighbours` are the paths of the most similar pictures.
    """

    path: str
    given: str
    suggested: str
    suspicion: float
    issue: str
    neighbours: tuple[str, ...] = ()


def read_checked_labels(table: Table) -> list[CheckedLabel]:
    """Return the checked labels of a table, most suspicious first; raises PredictionsError when it is another table."""
    missing = [column.name for column in CHECKED if column.name not in table.columns]
    if missing:
        raise PredictionsError(
            f"Dataset {table.name} is not what vision-check-labels writes: it lacks {', '.join(missing)}. "
            "Choose its output, or leave the role empty."
        )
    found = []
    for row in table.rows():
        path, *texts = (label_text(row.get(name)) for name in ("images", "label", "suggested_label", "issue"))
        if path is not None:
            given, suggested, issue = (text or "" for text in texts)
            suspicion = min(1.0, max(0.0, as_number(row.get("suspicion")) or 0.0))
            neighbours = _paths(row.get("neighbours"))
            found.append(CheckedLabel(path, given, suggested, suspicion, issue, tuple(neighbours)))
    return sorted(found, key=lambda checked: -checked.suspicion)


def _paths(cell: Any) -> Iterator[str]:
    try:
        found = json.loads(cell) if isinstance(cell, str) and cell else cell
    except (ValueError, RecursionError):
        return
    for item in found if isinstance(found, list) else []:
        if isinstance(item, dict) and isinstance(item.get("path"), str):
            yield item["path"]
