"""The answer of a query to a database, in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from minihost.datasets.sql import Location
from minihost.datasets.sql.rows import RowTable


class Answer(RowTable):
    """The rows that a query answers; their types are those of the values."""

    def __init__(self, found: Any, location: Location) -> None:
        self.path = location.shown
        self._names = list(found.keys())
        self._rows = [tuple(map(plain, row)) for row in found]

    def exists(self) -> bool:
        """It is there."""
        return True

    def columns(self) -> list[dict[str, Any]]:
        """Return the columns, typed by their first value that is not null."""
        found = []
        for place, name in enumerate(self._names):
            first = next((row[place] for row in self._rows if row[place] is not None), None)
            found.append({"name": name, "type": _kind(first)})
        return found

    def values(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row."""
        yield from self._rows


def plain(value: Any) -> Any:
    """Return a cell as components get it: numbers, texts, dates, anything else as text."""
    if isinstance(value, Decimal):
        return float(value)
    return value if isinstance(value, str | int | float | bool | None) or hasattr(value, "isoformat") else str(value)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, dt.datetime):
        return "date" if value.tzinfo else "datetimenotz"
    kinds = ((int, "bigint"), (float, "double"), (dt.date, "dateonly"))
    return next((kind for test, kind in kinds if isinstance(value, test)), "string")
