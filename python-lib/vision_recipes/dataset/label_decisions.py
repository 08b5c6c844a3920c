"""What people decided on the labels that vision-check-labels flagged, applied when its table is used for training."""

from __future__ import annotations

from typing import Any

from vision_recipes.dataset.cell_text import label_text
from vision_recipes.errors import LabelsError

ACCEPT, RELABEL, DROP = "accept", "relabel", "drop"
SUGGESTED = "suggested_label"
_WORDS = {"": ACCEPT, "accept": ACCEPT, "keep": ACCEPT, "relabel": RELABEL, "drop": DROP}


def decide(decision: Any, label: str | None, suggested: str | None, column: str) -> tuple[str | None, bool]:
    """Return a row's label after its decision, a cell of `column`, and whether the picture is dropped.

    `suggested` is the row's cell in SUGGESTED. An empty decision accepts. Raises LabelsError for other words, and for a
    row to relabel without a suggested label.
    """
    word = (label_text(decision) or "").strip().lower()
    if word not in _WORDS:
        raise LabelsError(
            f"col_decision: column {column!r} holds {word[:60]!r}; it may hold accept, relabel or drop, or be empty."
        )
    if _WORDS[word] != RELABEL:
        return label, _WORDS[word] == DROP
    if suggested is None:
        raise LabelsError(
            f"col_decision: column {column!r} says relabel for the label {label!r}, but column {SUGGESTED!r} is empty "
            "or missing there. Write the right label into it, or drop the picture."
        )
    return suggested, False
