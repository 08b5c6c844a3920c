"""How a CSV file is to be read: its encoding, its separator and the names in its header, given or recognised."""

from __future__ import annotations

import codecs
import csv
import functools
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from minihost.datasets import charsets, separators
from minihost.errors import DataError

log = logging.getLogger(__name__)
LARGEST_HEAD = 1 << 24
_SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?\r?\n', re.IGNORECASE)
"""A first line by which Excel is told the separator."""


@dataclass(frozen=True)
class Layout:
    """How one CSV file is to be read.

    `names` are its columns, empty for an empty file; `preamble` counts the lines before the header. `own` says that
    the file is as the host wrote it: nothing in it is mended. `irregular` says that its rows need mending. `said` tells
    what was recognised, for the log.
    """

    encoding: str
    separator: str
    names: tuple[str, ...]
    preamble: int = 0
    own: bool = False
    irregular: bool = False
    said: str = ""


def of(path: Path, given: tuple[str, str], declared: tuple[str, ...], *, whole: bool) -> Layout:
    """Return the layout of a file. `given` are separator and encoding, each empty where it is to be recognised;
    `declared` are the column names in the schema file. `whole` reads the file to its end for the encoding.

    Raises `DataError` where it is no table, and where something is uncertain.
    """
    try:
        stat = path.stat()
        return _of(path, (stat.st_mtime_ns, stat.st_size, stat.st_ino), given, declared, whole)
    except OSError as err:
        raise DataError(f"{path} cannot be read: {err.strerror}.") from err


@functools.lru_cache(maxsize=256)
def _of(path: Path, _stamp: tuple[int, ...], given: tuple[str, str], declared: tuple[str, ...], whole: bool) -> Layout:
    separator, encoding = given
    with open(path, "rb") as stream:
        charsets.refuse_other_files(path, stream.read(16))
    if declared and (own := _own(path, separator or ",", encoding or "utf-8", declared)):
        codec = encoding or charsets.utf8_or_western(path, whole=whole)
        return Layout(codec, own, declared, own=True, said=_said(charsets.NAMES.get(codec, "") if not encoding else ""))
    codec = encoding or charsets.recognised(path, whole=whole)
    text, cut = _head(path, codec, separator or ",")
    line = _SEPARATOR_LINE.match(text)
    text = text[line.end() :] if line else text
    found = separator or (line[1] if line else separators.recognised(path, text, cut=cut))
    records = separators.records(text, found, cut=cut)
    names, notes = _names(records)
    facts = [f"{separators.NAMES.get(found, found)}-separated"] if not separator and found != "," else []
    facts += [charsets.NAMES[codec]] if not encoding and codec in charsets.NAMES else []
    irregular = bool(line) or (bool(records) and len(names) < len(records[0]))
    irregular = irregular or _is_blank(text.lstrip("\r\n"), found) or _blank_rows_at_the_end(path, found)
    return Layout(
        codec, found, tuple(names), int(bool(line)), irregular=irregular, said=_said(", ".join(facts), *notes)
    )


def _said(read_as: str, *notes: str) -> str:
    return "; ".join([*([f"read as {read_as}"] if read_as else []), *notes])


def _own(path: Path, separator: str, encoding: str, declared: tuple[str, ...]) -> str:
    """The separator, where the header is exactly the one that the host wrote; else the empty text."""
    try:
        with open(path, encoding=with_mark(encoding), newline="") as stream:
            header = next((record for record in csv.reader(stream, delimiter=separator) if record), [])
    except (UnicodeDecodeError, csv.Error):
        return ""
    return separator if tuple(header) == declared else ""


def with_mark(encoding: str) -> str:
    """Return the codec with which a file is opened: a byte order mark is no text in UTF-8 either."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _head(path: Path, encoding: str, separator: str) -> tuple[str, bool]:
    """The beginning of a file with at least its header and a row, and whether the file goes on after it."""
    size = charsets.HEAD
    while True:
        with open(path, "rb") as stream:
            data = stream.read(size)
            cut = bool(stream.read(1))
        try:
            text = codecs.getincrementaldecoder(with_mark(encoding))().decode(data, final=not cut)
        except UnicodeDecodeError as err:
            raise DataError(
                f"{path} is not a CSV file in {encoding}: {err}. Save it as CSV UTF-8."
                + charsets.setting(path, "encoding", "cp1252")
            ) from err
        if not cut or size >= LARGEST_HEAD or len(separators.records(text, separator, cut=True)) > 1:
            return text, cut
        size *= 8


def _names(records: list[list[str]]) -> tuple[list[str], list[str]]:
    """The names of the columns, those at the end left out that are empty with nothing below; and notes on them."""
    if not records:
        return [], []
    header, *rows = records
    kept = max([separators.width(header), *(separators.width(row) for row in rows if len(row) <= len(header))])
    return cleaned(header[:kept])


def cleaned(header: list[str]) -> tuple[list[str], list[str]]:
    """Return unique names for a header, and notes on what was changed: blanks around them are left out where the names
    stay different, a repeated name gets a number."""
    names = [name.strip() for name in header]
    notes: list[str] = []
    if len(set(names)) < len(names) == len(set(header)):
        names = header
    if changed := [name for name, new in zip(header, names, strict=True) if name != new]:
        notes.append(f"blanks around column names are left out: {', '.join(map(repr, changed))}")
    unique: list[str] = []
    for name in names:
        new, number = name, 1
        while new in unique:
            new, number = f"{name}_{number}", number + 1
        if new != name:
            notes.append(f"another column {name!r} is called {new!r}")
        unique.append(new)
    return unique, notes


def _is_blank(text: str, separator: str) -> bool:
    """Whether the first line of a text holds separators and nothing else."""
    return not re.split(r"[\r\n]", text, maxsplit=1)[0].replace(separator, "").strip(' "')


def _blank_rows_at_the_end(path: Path, separator: str) -> bool:
    """Whether the last line of a file holds separators and nothing else."""
    with open(path, "rb") as stream:
        stream.seek(max(0, os.fstat(stream.fileno()).st_size - 4096))
        text = stream.read().replace(b"\0", b"").decode("latin-1").rstrip(" \r\n")
    return _is_blank(re.split(r"[\r\n]", text)[-1], separator)


_logged: set[tuple[str, str]] = set()


def tell(path: Path, what: str) -> None:
    """Say something about a file in the log, once in this process."""
    if what and (str(path), what) not in _logged:
        _logged.add((str(path), what))
        log.warning("%s: %s", path.name, what)
