"""A dataset as a stream in a format that other programs read: Excel, JSON lines in a list, tab separated text."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO

from minihost.datasets import Table, cells
from minihost.errors import DataError

EXCEL_ROWS = 1_048_575
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
    """One sheet `Sheet1`: a header row, numbers as numbers, everything else as text, formulas never alive."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")

    def cell(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        made = WriteOnlyCell(sheet, value=cells.escape(value).translate(_UNFIT)[:32767])
        made.data_type = "s"
        return made

    sheet.append([cell(name) for name in names])
    for number, row in enumerate(rows):
        if number >= EXCEL_ROWS:
            raise DataError(f"An Excel sheet holds {EXCEL_ROWS} rows; this dataset has more.")
        sheet.append([cell(_typed(text, kind)) for text, kind in zip(row, types, strict=True)])
    book.save(stream)


def _typed(text: str, kind: str) -> Any:
    if kind in cells.INTEGERS or kind in cells.FLOATS or kind == "boolean":
        try:
            return cells.from_text(text, kind)
        except ValueError:
            return text
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
