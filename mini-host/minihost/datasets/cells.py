"""One cell of a dataset: from a Python value to the text that is stored, and from stored text to a value."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
FLOATS = {"float": 32, "double": 64}
DATES = ("date", "datetimenotz", "dateonly")
JSON_TYPES = ("array", "map", "object")
STORAGE_TYPES = ("string", *INTEGERS, *FLOATS, "boolean", *DATES, "geopoint", "geometry", *JSON_TYPES)
"""Every storage type a column may have."""

_ESCAPE = re.compile(r"(\\*)([\udc80-\udcff])|(\\+)(udc[89a-f][0-9a-f])")
_ESCAPED = re.compile(r"(\\+)udc([89a-f][0-9a-f])")


def escape(text: str) -> str:
    r"""Return text that UTF-8 can hold: a byte of a file name that is not UTF-8 (a lone surrogate) is written `\udcff`.

    Text that already looks like such an escape gets its backslashes doubled, so that `unescape` gives back every name.
    """
    return _ESCAPE.sub(_escape_one, text)


def _escape_one(found: re.Match[str]) -> str:
    if found[2]:
        return found[1] * 2 + f"\\udc{ord(found[2]) & 0xFF:02x}"
    return found[3] * 2 + found[4]


def unescape(text: str) -> str:
    """Return the text that `escape` was given."""

    def one(found: re.Match[str]) -> str:
        kept = "\\" * (len(found[1]) // 2)
        return kept + (chr(0xDC00 + int(found[2], 16)) if len(found[1]) % 2 else f"udc{found[2]}")

    return _ESCAPED.sub(one, text)


def is_null(value: Any) -> bool:
    """Whether a value is an empty cell: None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in ("NAType", "NaTType") or (type(value).__name__ == "float32" and value != value)


def to_text(value: Any, column_type: str = "string") -> str:
    """Return the text of a cell: empty for a null, `true`/`false`, ISO 8601 dates, JSON for lists and dicts."""
    kind = type(value)  # the usual ones first: this runs for every cell
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is float and column_type == "double":
        return repr(value) if value == value else ""
    if is_null(value):
        return ""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return date_text(value, column_type)
    if isinstance(value, float) or type(value).__name__ in ("float32", "float16"):
        if column_type in INTEGERS and float(value).is_integer():
            return str(int(value))
        if column_type == "float" and isinstance(value, float):
            return _single(value)
        return repr(float(value)) if isinstance(value, float) else str(value)
    if isinstance(value, dict | list | tuple) or type(value).__name__ == "ndarray":
        return json_text(value)
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def to_texts(values: list[Any], column_type: str) -> list[str]:
    """Return the texts of a column whose values fit its type, quickly for the usual types."""
    if column_type == "string":
        return ["" if value is None else value if type(value) is str else to_text(value) for value in values]
    if column_type in INTEGERS:
        return ["" if value is None else str(value) for value in values]
    if column_type == "double":
        return ["" if value is None or value != value else repr(value) for value in values]
    return [to_text(value, column_type) for value in values]


def _single(value: float) -> str:
    """The shortest text that single precision reads back as the same number."""
    import numpy as np

    return str(np.float32(value))


def date_text(moment: dt.date, column_type: str = "date") -> str:
    """Return a date as stored: `2020-12-31T00:00:00.101Z`.

    `datetimenotz` has no zone, `dateonly` is the day alone. A moment without zone counts as UTC.
    """
    if not isinstance(moment, dt.datetime):
        return moment.isoformat() + {"date": "T00:00:00.000Z", "datetimenotz": "T00:00:00.000"}.get(column_type, "")
    if moment.tzinfo is not None and column_type != "datetimenotz":
        moment = moment.astimezone(dt.UTC)
    if column_type == "dateonly":
        return moment.date().isoformat()
    text = f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"
    return text if column_type == "datetimenotz" else text + "Z"


def json_text(value: Any) -> str:
    """Return a list or dict as JSON text; arrays and numbers of numpy become plain ones, dates ISO text."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dt.date):
        return date_text(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return float(value) if isinstance(value, Decimal) else str(value)


def from_text(text: str, column_type: str) -> Any:
    """Return the value of stored text by the column's type; an empty cell is None.

    `array`, `map`, `object` and the geographic types stay text. Raises ValueError when the text does not fit.
    """
    if text == "":
        return None
    if column_type in INTEGERS:
        return int(text) if "." not in text else _whole(text)
    if column_type in FLOATS:
        return float(text)
    if column_type == "boolean":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    if column_type in DATES:
        return parse_date(text, column_type)
    return text


def reader(column_type: str) -> Callable[[Any], Any]:
    """Return `from_text` for one type, quick for numbers; a cell that is a number already stays one."""
    if column_type in FLOATS:
        return lambda cell: cell if type(cell) is float else float(cell) if cell else None
    return lambda cell: from_text(cell, column_type) if type(cell) is str else cell


def _whole(text: str) -> int:
    number = float(text)
    if not number.is_integer():
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)


def parse_date(text: str, column_type: str = "date") -> dt.date:
    """Return the moment of an ISO 8601 text: in UTC for `date`, without zone for `datetimenotz`, else a day."""
    moment = dt.datetime.fromisoformat(text)
    if column_type == "dateonly":
        return moment.date()
    if column_type == "datetimenotz":
        return moment.replace(tzinfo=None)
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
