"""The encoding of a text file that does not say it: UTF-8, UTF-16 and Windows-1252 are told apart by their bytes."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path

from minihost.errors import DataError

HEAD = 1 << 16
CHUNK = 1 << 20
JUDGED = 2
"""Pieces with letters beyond ASCII by which Windows-1252 is told from other encodings."""

NAMES = {"cp1252": "Windows-1252", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "utf-32": "UTF-32"}
"""What a log calls the encodings that are not UTF-8."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FILES = (
    (b"PK\x03\x04", "an Excel file or a zip. Give an Excel file its ending .xlsx"),
    (b"\xd0\xcf\x11\xe0", "an old or a protected Excel file. Save it in Excel as .xlsx or as CSV UTF-8"),
    (b"PAR1", "a Parquet file. Give it its ending .parquet"),
    (b"\xff\xd8\xff", "a JPEG picture. Choose the table"),
    (b"\x89PNG", "a PNG picture. Choose the table"),
    (b"\x1f\x8b", "a gzip file. Unpack it"),
    (b"<!DOCTYPE html", "a web page. Fetch the table itself"),
    (b"<html", "a web page. Fetch the table itself"),
    (b"%PDF", "a PDF document. Save the table as CSV UTF-8"),
)
_ASCII = bytes(range(128))
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_UNUSUAL = re.compile(
    rb"[\x80-\x9f][\xa0-\xff]|[\x81-\x84\x86-\x90\x98\x9a-\x9f]|[\xc0-\xff]{3,}|(?<=[A-Za-z])[\x80\x85\x91\x93-\x97\x99](?=[A-Za-z])"
)
"""What Western text rarely has in Windows-1252, and text in other encodings (Mac, DOS, Cyrillic, Japanese) often."""

_UNDEFINED = b"\x81\x8d\x8f\x90\x9d"


def refuse_other_files(path: Path, head: bytes) -> None:
    """Raise `DataError` for a file whose first bytes say that it is no text but something known."""
    for mark, what in _OTHER_FILES:
        if head.lower().startswith(mark.lower()):
            raise DataError(f"{path} is not a CSV file: by its content it is {what}.")


def recognised(path: Path, *, whole: bool) -> str:
    """Return the codec of a text file; of the whole file or, quicker, by its first 64 KiB alone.

    Raises `DataError` for a file that is no text, and where the encoding is uncertain.
    """
    with open(path, "rb") as stream:
        head = stream.read(HEAD)
    refuse_other_files(path, head)
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return codec
    if codec := _utf16(head):
        return codec
    if b"\0" in head:
        raise DataError(f"{path} is not a CSV file: it is binary, with zero bytes. Choose the table, a text file.")
    return utf8_or_western(path, whole=whole)


def utf8_or_western(path: Path, *, whole: bool) -> str:
    """Answer `utf-8` or, for bytes that are not, `cp1252`; raises `DataError` where it may well be something else."""
    line = _first_line_not_utf8(path, whole=whole)
    return "utf-8" if line is None else _western(path, line, whole=whole)


def _utf16(head: bytes) -> str:
    """The codec of UTF-16 without a byte order mark, where zeros at every other byte make it certain."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    enough = max(1, len(head) // 8)
    for codec, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros >= enough and others == 0:
            try:
                codecs.getincrementaldecoder(codec)().decode(head)
            except UnicodeDecodeError:
                continue
            return codec
    return ""


def _chunks(path: Path, *, whole: bool = True) -> Iterator[bytes]:
    with open(path, "rb") as stream:
        while chunk := stream.read(CHUNK if whole else HEAD):
            yield chunk
            if not whole:
                return


def _first_line_not_utf8(path: Path, *, whole: bool) -> int | None:
    """The number of the first line that is not UTF-8, None where all of it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = 1
    for chunk in _chunks(path, whole=whole):
        pending = decoder.getstate()[0]
        if pending or not chunk.isascii():
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as err:
                return lines + (pending + chunk)[: err.start].count(b"\n")
        lines += chunk.count(b"\n")
    return lines if whole and decoder.getstate()[0] else None


def _western(path: Path, line: int, *, whole: bool) -> str:
    """The codec of a file that is not UTF-8."""
    high = utf8 = unusual = judged = 0
    undefined = False
    for chunk in _chunks(path, whole=whole):
        undefined = undefined or len(chunk.translate(None, _UNDEFINED)) < len(chunk)
        if judged < JUDGED and not chunk.isascii():
            judged += 1
            high += len(chunk.translate(None, _ASCII))
            utf8 += sum(map(len, _UTF8.findall(chunk)))
            unusual += sum(map(len, _UNUSUAL.findall(chunk)))
    if utf8 * 10 > high * 9:
        raise DataError(
            f"{path}, line {line}: a byte is not UTF-8, and the rest of the file is. Correct that line, or save the "
            f"file as CSV UTF-8.{setting(path, 'encoding', 'cp1252')}"
        )
    if undefined or unusual * 2 > high or utf8 * 2 > high:
        raise DataError(
            f"{path}, line {line}: the text is neither UTF-8 nor certainly Windows-1252. Save the file as CSV UTF-8."
            + setting(path, "encoding", "cp1251")
            + " (or cp1250, mac_roman, cp850, shift_jis, gb18030, cp1252 …)"
        )
    return "cp1252"


def setting(path: Path, name: str, example: str) -> str:
    """Return a sentence that says how a setting of a dataset is written in flow.yaml."""
    value = example if example.isalnum() else json.dumps(example)
    return f" Or declare it in flow.yaml: datasets: {{{path.stem}: {{path: {path}, {name}: {value}}}}}"
