"""The cells of one sheet of an Excel file: streamed, bounded, with formulas' last results; nothing is computed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from minihost.datasets.excel_parts import NEXT, Parts, fed, parser
from minihost.errors import DataError

ROWS, COLUMNS = 1_048_576, 16_384
"""The largest sheet that Excel has."""

LARGEST_SHEET = 4 << 30
"""Bytes of XML."""

LONGEST_TEXT = 1 << 20
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook: where its XML lies, the table of texts, which styles are dates, what day 0 is."""

    file: Path
    name: str
    part: str
    texts: list[str]
    dates: frozenset[int]
    durations: frozenset[int]
    epoch: Any
    others: tuple[str, ...] = ()
    """The names of the other sheets."""

    def rows(self) -> Iterator[tuple[int, dict[int, Any]]]:
        """Yield the number of each row that has values and these, by the number of their column from 1."""
        cells = _Cells(self)
        with Parts(self.file, LARGEST_SHEET) as archive:
            for _ in fed(cells.parser, archive, self.part, self.where):
                yield from cells.taken()

    @property
    def where(self) -> str:
        """The file and the sheet, for messages."""
        return f"{self.file}, sheet {self.name!r}"


class _Cells:
    """Takes the XML of a sheet piece by piece and gathers its rows; a cell of blanks is an empty one."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.parser = parser(self._start, self._end, sheet.where)
        self.done: list[tuple[int, dict[int, Any]]] = []
        self.row = self.column = 0
        self.values: dict[int, Any] = {}
        self.kind, self.style, self.text = "n", 0, ""
        self.formula = self.phonetic = False

    def taken(self) -> list[tuple[int, dict[int, Any]]]:
        """Return the rows that are complete, once."""
        done, self.done = self.done, []
        return done

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self._begin(attributes)
        elif tag in ("v", "t") and not self.phonetic:
            self.parser.CharacterDataHandler = self._characters
        elif tag == "f":
            self.formula = True
        elif tag == "row":
            self._move(int(attributes["r"]) if attributes.get("r", "").isdigit() else self.row + 1, 0)
            self.values = {}
        elif tag == "rPh":
            self.phonetic = True

    def _end(self, tag: str) -> None:
        if tag in ("v", "t"):
            self.parser.CharacterDataHandler = None
        elif tag == "c":
            value = self._value()
            if value is not None and not (isinstance(value, str) and not value.strip()):
                self.values[self.column] = value
        elif tag == "row":
            if self.values:
                self.done.append((self.row, self.values))
        elif tag == "rPh":
            self.phonetic = False

    def _begin(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        if place is None:
            self._move(self.row, self.column + 1)
        elif found := _CELL.fullmatch(place):
            column = 0
            for letter in found[1]:
                column = column * 26 + ord(letter) - 64
            self._move(int(found[2]), column)
        else:
            raise DataError(f"{self.sheet.where} has a cell {place[:20]!r}, which is no place in a sheet. {NEXT}")
        style = attributes.get("s", "0")
        self.kind, self.style, self.text = attributes.get("t", "n"), int(style) if style.isdigit() else 0, ""
        self.formula = False

    def _move(self, row: int, column: int) -> None:
        if row > ROWS or column > COLUMNS or row < self.row:
            raise DataError(f"{self.sheet.where} has a row {row} or column {column} out of order or range. {NEXT}")
        self.row, self.column = row, column

    def _characters(self, text: str) -> None:
        self.text += text
        if len(self.text) > LONGEST_TEXT:
            self._wrong(f"holds a text of more than {LONGEST_TEXT} letters", "Shorten it")

    def _value(self) -> Any:
        text, kind = self.text, self.kind
        if text == "":
            if self.formula and kind != "str":
                self._wrong("holds a formula without its result", "Open the file in Excel and save it")
            return None
        try:
            if kind == "s":
                return self.sheet.texts[int(text)]
            if kind in ("str", "inlineStr"):
                return text
            if kind == "b":
                return text.strip().lower() in ("1", "true")
            if kind == "d":
                return dt.datetime.fromisoformat(text)
            if kind == "n":
                number = _number(text)
                return self._moment(number) if self.style in self.sheet.dates else number
        except (ValueError, IndexError, OverflowError, TypeError) as err:
            self._wrong(f"cannot be read: {text[:40]!r} ({err})", "Type it again")
        return self._wrong(f"holds the error {text[:40]}", "Correct the formula, or clear the cell")

    def _moment(self, number: float) -> Any:
        from openpyxl.utils.datetime import from_excel

        return from_excel(number, self.sheet.epoch, timedelta=self.style in self.sheet.durations)

    def _wrong(self, what: str, then: str) -> NoReturn:
        raise DataError(f"{self.sheet.where}, cell {place_of(self.row, self.column)}: it {what}. {then}.")


def _number(text: str) -> int | float:
    """A number as Excel shows it: `1.0`, as some programs write it, is the integer 1."""
    if not any(letter in text for letter in ".eE"):
        return int(text)
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def place_of(row: int, column: int) -> str:
    """Return the name of a cell, such as `B7`."""
    from openpyxl.utils import get_column_letter

    return f"{get_column_letter(column)}{row}"
