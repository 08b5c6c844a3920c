"""The JSON that a page posts: read whole and in one meaning, or not at all."""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 100
"""Objects and lists inside one another."""


def read(content: bytes) -> Any:
    """Return what a text of JSON says; raises ValueError with the reason."""
    try:
        found = json.loads(content, object_pairs_hook=_unique, parse_constant=_no_number)
    except RecursionError as err:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from err
    _check(found)
    return found


def _check(found: Any) -> None:
    """Raise ValueError for what no file, name or number can hold."""
    waiting = [(found, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST} levels")
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("it has a number that is too large")
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]
        elif isinstance(value, dict):
            waiting += [(item, depth + 1) for pair in value.items() for item in pair]


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as err:
        raise ValueError(f"{text[err.start]!a} is half a character") from err


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r:.60} is given twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")
