"""The separator of a CSV file, told from its header and first rows: comma, semicolon, tab or a vertical bar."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from minihost.datasets.charsets import setting
from minihost.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


def records(text: str, separator: str, *, cut: bool) -> list[list[str]]:
    """Return the complete records of the beginning of a file; `cut` says that the last one may not be complete.

    Blank lines and rows of empty cells are left out.
    """
    found = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    return [record for record in (found[:-1] if cut else found) if any(cell.strip() for cell in record)]


def width(record: Sequence[str]) -> int:
    """Return the number of cells, empty ones at the end left out."""
    return max((place for place, cell in enumerate(record, start=1) if cell.strip()), default=0)


def recognised(path: Path, text: str, *, cut: bool) -> str:
    """Return the separator with which the header has several names and more than half of the rows as many cells.

    Several separators are told apart by which one all rows agree with; raises `DataError` where that does not decide.
    A header without any separator has one column, whatever its cells hold.
    """
    found = {separator: records(text, separator, cut=cut) for separator in SEPARATORS}
    shares = {separator: _agreement(rows) for separator, rows in found.items() if rows and width(rows[0]) > 1}
    good = [separator for separator, share in shares.items() if share > 0.5]
    if len(good) > 1:
        good = [separator for separator in good if shares[separator] == 1] or good
    if len(good) > 1:
        names = " or ".join(NAMES[separator] for separator in good)
        raise DataError(
            f"{path}: the separator may be {names}: {text.splitlines()[0][:80]!r} can be read with either."
            f" Quote the cells that hold it.{setting(path, 'separator', good[0])}"
        )
    if good:
        return good[0]
    if other := _of_rows(found[","]) if "," in shares else "":
        raise DataError(
            f"{path}: the header is separated by a comma and the rows by a {NAMES[other]}: "
            f"{','.join(found[','][1])[:80]!r}. Correct the header."
        )
    return ","


def _agreement(rows: list[list[str]]) -> float:
    """The share of rows with as many cells as the header; more only where they are empty."""
    header, *others = rows
    names = width(header)
    agreeing = sum(width(row) <= names <= len(row) for row in others)
    return agreeing / len(others) if others else 1.0


def _of_rows(rows: list[list[str]]) -> str:
    """The one separator that cuts every row, which the comma leaves whole, into as many cells as the header has."""
    header, *others = rows
    for separator in SEPARATORS[1:]:
        if others and all(len(row) == 1 and row[0].count(separator) == width(header) - 1 for row in others):
            return separator
    return ""
