"""The cells of a table as a page shows them: what is missing, what is no text and what is long can be told at sight."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from typing import Any

from minihost.datasets import cells
from minihost.ui.objects.addresses import shown

FOLDED = 160
"""Characters from which a cell is folded."""

LONGEST = 4096
"""Characters of a cell that are sent at all."""

NUMBERS = {*cells.INTEGERS, *cells.FLOATS}


@dataclass(frozen=True)
class Cell:
    """`kind` is text, number, missing (no value), nan, blank (a text of no letters), data (JSON, bytes) or picture.

    `source` is the address of a picture's file and `link` that of the folder's page. `is_cut` says that the text goes
    on, `is_long` that it is folded.
    """

    kind: str
    text: str = ""
    source: str = ""
    is_cut: bool = False

    @property
    def is_long(self) -> bool:
        """Whether it is folded."""
        return len(self.text) > FOLDED or self.text.count("\n") > 2


def cell_of(value: Any, column_type: str) -> Cell:
    """Return a value of a table as a page shows it."""
    if value is None or type(value).__name__ in ("NaTType", "NAType"):
        return Cell("missing")
    if isinstance(value, float) and math.isnan(value):
        return Cell("nan", "NaN")
    if isinstance(value, bytes):
        beginning = base64.b64encode(value[:60]).decode()
        return Cell("data", f"{len(value):,} bytes: {beginning}{'…' if len(value) > 60 else ''}")
    if isinstance(value, dict | list | tuple):
        return _cut("data", _json(value))
    if isinstance(value, str):
        if not value.strip():
            return Cell("blank", json.dumps(value[:40]))
        is_data = column_type in cells.JSON_TYPES
        return _cut("number" if column_type in NUMBERS else "data" if is_data else "text", value)
    text = cells.to_text(value, column_type)
    return _cut("number" if isinstance(value, int | float) and not isinstance(value, bool) else "text", text)


def _cut(kind: str, text: str) -> Cell:
    return Cell(kind, shown(text[:LONGEST]), is_cut=len(text) > LONGEST)


def _json(value: Any) -> str:
    """JSON of a nested value; of a long list only the beginning, as it is cut anyway."""
    if isinstance(value, list | tuple) and len(value) > LONGEST:
        value = list(value[:LONGEST])
    return cells.json_text(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value[:LONGEST]).decode()
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
