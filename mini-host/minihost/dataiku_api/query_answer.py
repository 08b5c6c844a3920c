"""The answer of a query to a database, in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import count
from typing import Any

from minihost.datasets.sql import Location, values
from minihost.datasets.sql.rows import RowTable


class Answer(RowTable):
    """The rows that a query answers; their types are those of the values."""

    def __init__(self, found: Any, location: Location) -> None:
        self.path = location.shown
        self._names = distinct(found.keys())
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


def distinct(names: Iterable[str]) -> list[str]:
    """Return the names of a query's columns; one that comes again gets a number, as in pandas: `id`, `id.1`."""
    found: list[str] = []
    for name in names:
        again = (f"{name}.{number}" for number in count(1))
        found.append(name if name not in found else next(one for one in again if one not in found))
    return found


def plain(value: Any) -> Any:
    """Return a cell as components get it: numbers, texts, dates, anything else as text."""
    if isinstance(value, Decimal):
        return float(value)
    is_plain = isinstance(value, str | int | float | bool | None) or hasattr(value, "isoformat")
    return value if is_plain else values.reader("string")(value)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, dt.datetime):
        return "date" if value.tzinfo else "datetimenotz"
    kinds = ((int, "bigint"), (float, "double"), (dt.date, "dateonly"))
    return next((kind for test, kind in kinds if isinstance(value, test)), "string")
