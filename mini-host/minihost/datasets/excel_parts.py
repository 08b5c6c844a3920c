"""The parts of an Excel file: XML in a zip, unpacked piece by piece and never beyond bounds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from minihost.errors import DataError

LARGEST_PART = 16 << 20
"""Bytes of a part that is read as a whole."""

LARGEST_TEXTS = 256 << 20
"""Bytes of the table of texts."""

LARGEST_RATIO = 300
"""How many times its size in the zip a part may have; sheets of real tables have 10 to 50."""

CHUNK = 1 << 16
NEXT = "Save it in Excel as .xlsx, or as CSV UTF-8."


class Parts(zipfile.ZipFile):
    """The zip of an Excel file, in which no part opens that unpacks to more than `largest` bytes (16 MiB)."""

    def __init__(self, file: Path, largest: int | None = None) -> None:
        self.file, self.largest = file, largest or LARGEST_PART
        try:
            with open(file, "rb") as stream:
                if stream.read(4) == b"\xd0\xcf\x11\xe0":
                    raise DataError(f"{file} is protected by a password, or an old .xls file. {NEXT}")
            super().__init__(file)
        except zipfile.BadZipFile as err:
            raise DataError(f"{file} is not an Excel file ({err}). {NEXT} A text file is named .csv.") from err
        except OSError as err:
            raise DataError(f"{file} cannot be read: {err.strerror}.") from err

    def open(self, name: Any, *arguments: Any, **options: Any) -> Any:
        """Open a part for reading; raises `DataError` where it would unpack to too much."""
        part = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        ratio = part.file_size / max(1, part.compress_size)
        if part.file_size > self.largest or (ratio > LARGEST_RATIO and part.file_size > LARGEST_PART):
            raise DataError(
                f"{self.file}: {part.filename} unpacks to {part.file_size >> 20} MiB, {ratio:.0f} times its size "
                "in the file: too much for a table. If it is one, save it as CSV UTF-8."
            )
        return super().open(name, *arguments, **options)


def parser(start: Callable[..., None], end: Callable[..., None], where: str) -> Any:
    """Return an XML parser that calls these with the name of each element; it refuses document types, and with them
    entities."""
    from xml.parsers.expat import ParserCreate

    def doctype(*_: Any) -> NoReturn:
        raise DataError(f"{where} has a document type, which no Excel file has. {NEXT}")

    made = ParserCreate(namespace_separator=" ")
    made.buffer_text = True
    made.StartElementHandler = lambda name, attributes: start(name.rpartition(" ")[2], attributes)
    made.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
    made.StartDoctypeDeclHandler = doctype
    return made


def fed(xml: Any, archive: Parts, part: str, where: str) -> Iterator[None]:
    """Feed a part to a parser, pausing after each piece; raises `DataError` where it is damaged."""
    from xml.parsers.expat import ExpatError

    try:
        with archive.open(part) as stream:
            while data := stream.read(CHUNK):
                xml.Parse(data, False)
                yield
        xml.Parse(b"", True)
        yield
    except (ExpatError, zipfile.BadZipFile, EOFError, KeyError, NotImplementedError, RuntimeError, OSError) as err:
        raise DataError(f"{where} is damaged: {err}. {NEXT}") from err
