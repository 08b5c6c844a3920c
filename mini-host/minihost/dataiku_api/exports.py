"""A dataset as a stream in a format that other programs read: Excel, JSON lines in a list, tab separated text."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO

from minihost.datasets import Table, cells
from minihost.errors import DataError

EXCEL_ROWS = 1_048_575
FIRST_DAY = dt.date(1900, 3, 1)
"""The first day whose number all programs agree on: Excel takes 1900 for a leap year."""

MOMENT, DAY = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
"""Number formats of date cells; milliseconds are kept, not shown."""

WHOLE = 2**53
"""The largest number up to which a cell, which holds a double, has every integer."""

_UNFIT = {code: "" for code in range(32) if code not in (9, 10, 13)}


def raw_stream(data: Table, columns: Any, name: str) -> BinaryIO:
    """Return the data as a binary stream; raises `DataError` for a format that is not known."""
    formats: dict[str, Callable[..., None]] = {
        "excel": _excel,
        "json": _json,
        "tsv-excel-header": _tsv_with_header,
        "tsv-excel-noheader": _tsv,
    }
    if name not in formats:
        raise DataError(f"raw_formatted_data: format {name!r} is not known: {', '.join(formats)}.")
    own = data.columns()
    names = list(columns or [column["name"] for column in own])
    positions = [[column["name"] for column in own].index(column) for column in names]
    types = [own[position]["type"] for position in positions]
    stream = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    formats[name](stream, names, types, ([row[position] for position in positions] for row in data.text_rows()))
    stream.seek(0)
    return stream


def _excel(stream: Any, names: list[str], types: list[str], rows: Any) -> None:
    """One sheet `Sheet1`: a header row, then cells by storage type; formulas never alive.

    DSS writes dates as date cells and respects storage types ("Exporting to Excel now also shows dates as valid dates",
    "properly respects storage types", "Fixed timeshift that appeared when a dataset containing dates was exported":
    doc.dataiku.com/dss/latest/release_notes/11.html). A cell has no time zone: a `date` is the moment in UTC, in which
    alone DSS shows it (doc.dataiku.com/dss/latest/schemas/dates.html), a `datetimenotz` what it says, a `dateonly` the
    day. What such a cell cannot hold exactly is text: dates before March 1900, integers beyond 2^53, NaN, and whatever
    does not fit its column's type.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")

    def text_cell(text: str) -> Any:
        made = WriteOnlyCell(sheet, value=cells.escape(text).translate(_UNFIT)[:32767])
        made.data_type = "s"
        return made

    def cell(text: str, kind: str) -> Any:
        value = _in_excel(text, kind)
        if isinstance(value, str):
            return text_cell(value)
        if not isinstance(value, dt.date):
            return value
        made = WriteOnlyCell(sheet, value=value)
        made.number_format = MOMENT if isinstance(value, dt.datetime) else DAY
        return made

    sheet.append([text_cell(name) for name in names])
    for number, row in enumerate(rows):
        if number >= EXCEL_ROWS:
            raise DataError(f"An Excel sheet holds {EXCEL_ROWS} rows; this dataset has more.")
        sheet.append([cell(text, kind) for text, kind in zip(row, types, strict=True)])
    book.save(stream)


def _in_excel(text: str, kind: str) -> Any:
    """Return what a cell holds: a number, truth value, date or moment, else text; None for an empty cell."""
    if kind in cells.DATES and text:
        return _date(text, kind) or text
    value = _typed(text, kind)
    return text if type(value) is int and abs(value) > WHOLE else value


def _date(text: str, kind: str) -> dt.date | None:
    """Return a date or moment without zone, None where Excel has no such day or the text is no date."""
    try:
        value = cells.parse_date(text, kind)
    except (ValueError, OverflowError):
        return None
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None) if value.date() >= FIRST_DAY else None
    return value if value >= FIRST_DAY else None


def _typed(text: str, kind: str) -> Any:
    """Return a number or truth value, text for what is none or not finite; None for an empty cell."""
    if kind in cells.INTEGERS or kind in cells.FLOATS or kind == "boolean":
        try:
            value = cells.from_text(text, kind)
        except (ValueError, OverflowError):
            return text
        return text if isinstance(value, float) and not math.isfinite(value) else value
    return text or None


def _json(stream: Any, names: list[str], types: list[str], rows: Any) -> None:
    stream.write(b"[")
    for number, row in enumerate(rows):
        values = {name: _typed(text, kind) for name, text, kind in zip(names, row, types, strict=True)}
        stream.write((",\n" if number else "").encode() + json.dumps(values).encode())
    stream.write(b"]")


def _tsv_with_header(stream: Any, names: list[str], types: list[str], rows: Any) -> None:
    _tsv(stream, names, types, (row for part in ([names], rows) for row in part))


def _tsv(stream: Any, names: list[str], types: list[str], rows: Any) -> None:
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)
    csv.writer(text, dialect="excel-tab").writerows(rows)
    text.flush()
    text.detach()
