"""What an Excel file says about its sheets: their names, their texts, which numbers are dates."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from minihost.datasets.excel_parts import LARGEST_TEXTS, NEXT, Parts, fed, parser
from minihost.datasets.excel_sheet import Sheet
from minihost.errors import DataError
from minihost.suggestions import did_you_mean


def opened(file: Path, name: str = "") -> Sheet:
    """Return the sheet of this name, or the first one; raises `DataError` where the file is no Excel file, holds more
    than a table could, or has no such sheet."""
    with Parts(file) as archive:
        book, parts, texts = _read(archive)
        known = set(archive.namelist())
    if name and name not in parts:
        names = ", ".join(map(repr, parts))
        raise DataError(f"{file} has no sheet {name!r}.{did_you_mean(name, parts)} Sheets: {names}.")
    chosen = name or next(iter(parts), "")
    if parts.get(chosen) not in known:
        raise DataError(f"{file} has no sheet with cells. {NEXT}")
    return Sheet(
        file, chosen, parts[chosen], _texts(file, texts), frozenset(book._date_formats),
        frozenset(book._timedelta_formats), book.epoch, tuple(other for other in parts if other != chosen),
    )  # fmt: skip


def _read(archive: Parts) -> tuple[Any, dict[str, str], str]:
    """The workbook with its styles, the part of each sheet by name, and the part with the table of texts."""
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import apply_stylesheet
    from openpyxl.xml.constants import SHARED_STRINGS

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = ExcelReader(archive.fp, read_only=True, data_only=True, keep_links=False)
            reader.archive = archive
            reader.read_manifest()
            reader.read_workbook()
            apply_stylesheet(archive, reader.wb)
            parts = {sheet.name: link.target for sheet, link in reader.parser.find_sheets() if "chart" not in link.Type}
            texts = reader.package.find(SHARED_STRINGS)
            return reader.wb, parts, texts.PartName[1:] if texts is not None else ""
    except (DataError, MemoryError):
        raise
    except Exception as err:  # whatever comes up in openpyxl when a file is damaged
        raise DataError(f"{archive.file} is not a complete Excel file: {type(err).__name__}: {err}. {NEXT}") from err


def _texts(file: Path, part: str) -> list[str]:
    """The table of texts that cells refer to, kept as a whole; what tells the pronunciation is left out."""
    found: list[str] = []
    pieces: list[str] = []
    phonetic = False

    def start(tag: str, _attributes: dict[str, str]) -> None:
        nonlocal phonetic
        if tag == "si":
            pieces.clear()
        phonetic = phonetic or tag == "rPh"
        if tag == "t" and not phonetic:
            xml.CharacterDataHandler = pieces.append

    def end(tag: str) -> None:
        nonlocal phonetic
        xml.CharacterDataHandler = None
        phonetic = phonetic and tag != "rPh"
        if tag == "si":
            found.append("".join(pieces))

    where = f"{file}, its table of texts,"
    xml = parser(start, end, where)
    if part:
        with Parts(file, LARGEST_TEXTS) as archive:
            for _ in fed(xml, archive, part, where):
                pass
    return found
