"""The sheets of an Excel file, read by openpyxl row by row, and what is refused before it may read one."""

from __future__ import annotations

import contextlib
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from minihost.errors import DataError
from minihost.suggestions import did_you_mean

ROWS, COLUMNS = 1_048_576, 16_384
"""The largest sheet that Excel has."""

LARGEST_PARTS = {"xl/sharedStrings.xml": 256 << 20, "xl/styles.xml": 16 << 20}
"""Bytes of the parts that are kept in memory; any other may have 4 GiB."""

SMALL_PART = 4 << 20
LARGEST_RATIO = 100
"""How many times its size in the zip a part may have that is not small; sheets of real tables have 10 to 50."""

LONGEST_START = 1 << 20
"""Bytes of a part within which its first element begins."""

NEXT = "Save it in Excel as .xlsx, or as CSV UTF-8."


def _check(path: Path, stream: Any) -> None:
    """Raise `DataError` for a file with a part that unpacks to too much (zipfile itself unpacks no more than a part is
    said to have) or has a document type: a few bytes of one make gigabytes, in spite of expat's limit (entities) and of
    defusedxml (default attributes)."""
    from xml.parsers.expat import ExpatError, ParserCreate

    def doctype(*_: Any) -> NoReturn:
        raise DataError(f"{path}: {part.filename} begins with a document type, or with a MiB of comments. {NEXT}")

    def element(*_: Any) -> NoReturn:
        raise StopIteration  # no document type can follow

    if stream.read(4) == b"\xd0\xcf\x11\xe0":
        raise DataError(f"{path} is protected by a password, or an old .xls file. {NEXT}")
    if not zipfile.is_zipfile(stream):
        raise DataError(f"{path} is not an Excel file (no zip, or not all of one). {NEXT} A text file is named .csv.")
    with zipfile.ZipFile(stream) as archive:
        for part in archive.infolist():
            ratio = part.file_size / max(1, part.compress_size)
            largest = LARGEST_PARTS.get(part.filename, 4 << 30)
            if part.file_size > largest or (ratio > LARGEST_RATIO and part.file_size > SMALL_PART):
                raise DataError(
                    f"{path}: {part.filename} unpacks to {part.file_size >> 20} MiB, {ratio:.0f} times its size in "
                    "the file: too much for a table. If it is one, save it as CSV UTF-8."
                )
            parser = ParserCreate()
            parser.StartDoctypeDeclHandler, parser.StartElementHandler = doctype, element
            with contextlib.suppress(StopIteration, ExpatError), archive.open(part) as content:
                parser.Parse(content.read(LONGEST_START))
                if part.file_size > LONGEST_START:
                    doctype()


@contextlib.contextmanager
def opened(path: Path, name: str, *, formulas: bool = False) -> Iterator[Any]:
    """Open the sheet of this name, or the first one, with formulas or their last results; raises `DataError` where the
    file is no Excel file, holds more than a table could, or has no such sheet."""
    from openpyxl import load_workbook

    warnings.filterwarnings("ignore", module=r"openpyxl\.")  # what it leaves out: styles, extensions, dates of no day
    with contextlib.ExitStack() as stack:
        try:
            stream = stack.enter_context(open(path, "rb"))
        except OSError as err:
            raise DataError(f"{path} cannot be read: {err.strerror}.") from err
        try:
            _check(path, stream)
            book = load_workbook(stream, read_only=True, data_only=not formulas, keep_links=False)
        except (DataError, MemoryError):
            raise
        except Exception as err:  # whatever comes up in openpyxl when a file is damaged
            raise DataError(f"{path} is not a complete Excel file: {_reason(err)}. {NEXT}") from err
        stack.callback(book.close)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        if not sheets:
            raise DataError(f"{path} has no sheet with cells. {NEXT}")
        if name and name not in sheets:
            names = ", ".join(map(repr, sheets))
            raise DataError(f"{path} has no sheet {name!r}.{did_you_mean(name, sheets)} Sheets: {names}.")
        sheet = sheets[name or next(iter(sheets))]
        sheet.reset_dimensions()  # what a file says about them is often wrong
        yield sheet


def _reason(err: BaseException) -> str:
    err = err.__cause__ or err
    return f"{type(err).__name__}: {str(err)[:200]}"


def rows(sheet: Any, where: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield the number of each row and its cells from column A on; raises `DataError` where the sheet is damaged."""
    number = 0
    try:
        for number, row in enumerate(sheet.iter_rows(), start=1):
            if number > ROWS or len(row) > COLUMNS:
                break
            yield number, row
        else:
            return
    except MemoryError:
        raise
    except Exception as err:  # as above
        raise DataError(f"{where} is damaged after row {number}: {_reason(err)}. {NEXT}") from err
    raise DataError(f"{where} has more than {ROWS} rows or {COLUMNS} columns. {NEXT}")


def refuse_formulas_without_results(path: Path, name: str, where: str) -> None:
    """Raise `DataError` for a formula that was never computed: openpyxl gives it as an empty cell."""
    with opened(path, name) as results, opened(path, name, formulas=True) as formulas:
        for (_, values), (_, row) in zip(rows(results, where), rows(formulas, where), strict=True):
            for result, cell in zip(values, row, strict=True):
                if cell.data_type == "f" and result.value is None and result.data_type != "str":
                    raise DataError(
                        f"{where}, cell {cell.coordinate}: it holds a formula without its result. Open the file in "
                        "Excel and save it."
                    )
