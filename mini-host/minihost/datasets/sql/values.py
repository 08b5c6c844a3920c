"""One cell of a SQL table: from what a driver gives to a value, to the text of a cell, and to what is stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from minihost.datasets import cells

Raw = int | float | str | None
"""What the rows of an output hold until they go to the database; dates are ISO 8601 text."""


def reader(kind: str) -> Callable[[Any], Any]:
    """Return what makes a value of what a driver gives for a column; raises ValueError where it does not fit."""
    if kind in cells.INTEGERS:
        return _integer
    if kind in cells.FLOATS:
        return _number
    if kind == "boolean":
        return _boolean
    return (lambda value: _moment(value, kind)) if kind in cells.DATES else _text


def writer(kind: str) -> Callable[[Any], str]:
    """Return what makes the text of a cell of a value; dates keep their microseconds."""
    if kind in cells.DATES:
        return lambda value: "" if value is None else date_text(value, kind)
    if kind == "string":
        return lambda value: value or ""
    return lambda value: cells.to_text(value, kind)


def date_text(moment: dt.date, kind: str) -> str:
    """Return a date as a cell has it, with microseconds where milliseconds would lose some."""
    text = cells.date_text(moment, kind)
    micros = getattr(moment, "microsecond", 0) % 1000
    if not micros or kind == "dateonly":
        return text
    return f"{text.removesuffix('Z')}{micros:03d}" + ("Z" if text.endswith("Z") else "")


def stored(value: Any, kind: str) -> Raw:
    """Return a cell as it is stored for a column of this type; raises ValueError where it does not fit."""
    if type(value) is str and kind == "string":
        return value
    if cells.is_null(value):
        return None
    if isinstance(value, str) and kind in _CAST:
        value = cells.from_text(value.strip(), kind)
        if value is None:
            return None
    if kind in cells.INTEGERS:
        return _fitting(value, kind)
    if kind in cells.FLOATS:
        return None if (number := float(value)) != number else number
    if kind == "boolean":
        return int(bool(value))
    if kind in cells.DATES:
        return moment_text(_as_date(value), kind)
    if kind in cells.JSON_TYPES and not isinstance(value, str):
        return cells.json_text(value)
    return cells.to_text(value, kind) or (None if kind in cells.JSON_TYPES else "")


def moment_text(moment: dt.date, kind: str) -> str:
    """Return a moment as databases read it: `2026-12-31 10:00:00.123456+00:00`; without zone it counts as UTC."""
    if not isinstance(moment, dt.datetime):
        if kind == "dateonly":
            return moment.isoformat()
        moment = dt.datetime(moment.year, moment.month, moment.day)
    if kind == "datetimenotz":
        return moment.replace(tzinfo=None).isoformat(" ", "microseconds")
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    return moment.date().isoformat() if kind == "dateonly" else moment.isoformat(" ", "microseconds")


def of_series(series: Any, kind: str) -> list[Raw]:
    """Return the cells of a frame's column as they are stored."""
    code = getattr(series.dtype, "kind", "O")
    if code == "M" and kind in cells.DATES:
        return _moments(series, kind)
    values = series.tolist()
    if kind == "double" and code == "f" and getattr(series.dtype, "itemsize", 0) == 8:
        return values  # type: ignore[no-any-return]  # a missing number is stored as null
    if kind == "bigint" and code == "i":
        return values  # type: ignore[no-any-return]
    return [stored(value, kind) for value in values]


def _moments(series: Any, kind: str) -> list[Raw]:
    """What `moment_text` gives for a column of moments, quickly."""
    import numpy as np

    if getattr(series.dtype, "tz", None) is not None:
        zone = None if kind == "datetimenotz" else "UTC"
        series = (series.dt.tz_convert(zone) if zone else series).dt.tz_localize(None)
    texts = np.datetime_as_string(series.to_numpy().astype("datetime64[us]"), unit="us").tolist()
    if kind == "dateonly":
        return [None if text == "NaT" else text[:10] for text in texts]
    end = "+00:00" if kind == "date" else ""
    return [None if text == "NaT" else f"{text[:10]} {text[11:]}{end}" for text in texts]


_CAST = {*cells.INTEGERS, *cells.FLOATS, "boolean", *cells.DATES}


def _fitting(value: Any, kind: str) -> int:
    number = int(value)
    if number != value:
        raise ValueError(f"{value!r} is not a whole number")
    bits = cells.INTEGERS[kind]
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise ValueError(f"{number} is too large for {kind}")
    return number


def _as_date(value: Any) -> dt.date:
    if isinstance(value, dt.date):
        return value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    if type(value).__name__ == "datetime64":
        return value.astype("datetime64[us]").item()  # type: ignore[no-any-return]
    raise ValueError(f"{value!r} is not a date")


def _integer(value: Any) -> int | None:
    if value is None or type(value) is int:
        return value
    number = int(value)
    if number != value and not isinstance(value, str):
        raise ValueError(f"{value!r} is not a whole number")
    return number


def _number(value: Any) -> float | None:
    if value is None or type(value) is float:
        return value
    number = float(value)
    if isinstance(value, int) and number != value:
        raise ValueError(f"{value} has more digits than a double holds")
    return number


def _boolean(value: Any) -> bool | None:
    if value is None or type(value) is bool:
        return value
    if isinstance(value, str):
        found = cells.from_text(value, "boolean")
        return None if found is None else bool(found)
    if value in (0, 1):
        return bool(value)
    raise ValueError(f"{value!r} is neither true nor false")


def _moment(value: Any, kind: str) -> dt.date | None:
    if isinstance(value, str):
        return cells.parse_date(value, kind) if value else None
    if isinstance(value, dt.datetime):
        if kind == "date":
            return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
        return value.date() if kind == "dateonly" else value.replace(tzinfo=None)
    if value is None or isinstance(value, dt.date):
        return value
    raise ValueError(f"{value!r} is not a date")


def _text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return cells.to_text(value)
