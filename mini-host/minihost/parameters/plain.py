"""Brings what YAML can say to what JSON can say: dates as texts, keys as texts, and no values without end."""

from __future__ import annotations

import datetime as dt
from typing import Any

from minihost.errors import JobError

MAX_DEPTH = 100
MAX_VALUES = 1_000_000


def plain(values: dict[Any, Any]) -> dict[str, Any]:
    """A copy that JSON can hold; raises `JobError` for values that contain themselves, or too many (YAML aliases)."""
    count = 0

    def copied(value: Any, depth: int) -> Any:
        nonlocal count
        count += 1
        if depth > MAX_DEPTH or count > MAX_VALUES:
            raise JobError(["The parameters hold a value that is nested without end, or too large."])
        if isinstance(value, dict):
            return {str(key): copied(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set)):
            return [copied(item, depth + 1) for item in value]
        if isinstance(value, dt.date):
            return value.isoformat()
        return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)

    return {str(key): copied(value, 1) for key, value in values.items()}
