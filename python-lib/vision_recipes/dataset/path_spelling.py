"""Ways in which programs and people spell the same path: blanks, slashes, percent-encoding, extensions, case.

Each spelling gives a path a key; two paths with the same key may mean the same file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

_EXTENSION = re.compile(r"\.(jpe?g|jpe|jfif|png|gif|bmp|dib|webp|tiff?|avif|heic|heif)$", re.IGNORECASE)
_SAME_EXTENSION = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg", "tiff": "tif", "dib": "bmp", "heif": "heic"}
_ABSOLUTE = re.compile(r"\s*([A-Za-z]:[\\/]|[A-Za-z][A-Za-z0-9+.-]+:/|\\\\)")
_DECODINGS = 3
"""How often a path may have been percent-encoded, one encoding over the other."""
MOST_PARTS = 32
"""How many of a path's last parts are compared."""


@dataclass(frozen=True)
class Spelled:
    """The keys of all paths of a listing, and of the paths of a table by how they are written, in one spelling.

    `described` completes "3 paths matched …"; it is empty for the spelling that every path may have.
    `place` counts the spellings, the most exact first.
    """

    described: str
    keys: Sequence[str]
    waiting: Mapping[str, str]
    place: int


def bare(path: str) -> str:
    """Return a path without slashes at its ends, doubled ones, and parts that are `.`."""
    if "//" not in path and "/." not in path and not path.startswith("."):
        return path.strip("/")
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def without_extension(path: str) -> str:
    """Return a path without the extension of a picture file; a name that is nothing else keeps it."""
    shorter = _EXTENSION.sub("", path)
    return path if not shorter or shorter.endswith("/") else shorter


def is_picture_name(path: str) -> bool:
    """Return whether a path has the extension of a picture file."""
    return _EXTENSION.search(path) is not None


def quoted(path: str | None) -> str:
    """Return a path for a message: as it is where that can be printed, so that a backslash is not shown twice."""
    return f"'{path}'" if path is not None and path.isprintable() else repr(path)


def is_absolute(path: str) -> bool:
    """Return whether a path begins with a Windows drive, a network share or a scheme such as `file://`."""
    return _ABSOLUTE.match(path) is not None


def ends(key: str) -> Iterator[str]:
    """Yield the ends of a path that begin at a folder or at the file name, the longest first, the whole path too."""
    parts = key.split("/")[-MOST_PARTS:]
    for start in range(len(parts)):
        yield "/".join(parts[start:])


def unique_keys(paths: Sequence[str], keys: Iterable[str]) -> dict[str, str | None]:
    """Return the path of each key, None where several paths have it."""
    found: dict[str, str | None] = {}
    for path, key in zip(paths, keys, strict=True):
        found[key] = None if key in found else path
    return found


def _trimmed(key: str) -> str:
    return key if key.split(None, 1) == [key] else bare("/".join(part.strip() for part in key.split("/")))


def _composed(key: str) -> str:
    return key if key.isascii() else unicodedata.normalize("NFC", key)


def _slashed(key: str) -> str:
    return _trimmed(bare(key.replace("\\", "/"))) if "\\" in key else key


def _decoded(key: str) -> str:
    if "%" not in key:
        return key
    for _ in range(_DECODINGS):
        try:
            key = unquote(key, errors="strict")
        except UnicodeDecodeError:
            key = unquote(key, encoding="cp1252", errors="replace")
    return _trimmed(bare(_composed(key).replace("\\", "/")))


def _one_extension(key: str) -> str:
    found = _EXTENSION.search(key)
    if found is None:
        return key
    extension = found[1].lower()
    return f"{key[: found.start()]}.{_SAME_EXTENSION.get(extension, extension)}"


def _caseless(key: str) -> str:
    return _composed(key.casefold())


_SPELLINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("after removing blanks at the ends of names", _trimmed),
    ("in another Unicode composition", _composed),
    ("with slashes for backslashes", _slashed),
    ("after percent-decoding", _decoded),
    ("with the extension spelled differently", _one_extension),
    ("in other case", _caseless),
)
"""Each key is computed from the one before it, so that a path may differ in several ways at once."""
PLAIN, DECODED = 2, 3
"""The places of the last spelling that `plain` applies, and of the first in which folders can be told apart."""


def plain(text: str) -> str:
    """Return the key of the first spellings: texts with the same one are one path, not two that are alike."""
    return _key(text, _SPELLINGS[: PLAIN + 1])


def caseless(text: str) -> str:
    """Return the key of the most tolerant spelling."""
    return _key(text, _SPELLINGS)


def loose(text: str) -> str:
    """Return the key of the most tolerant spelling, without extension."""
    return without_extension(caseless(text))


def _key(text: str, spelled: Sequence[tuple[str, Callable[[str], str]]]) -> str:
    key = bare(text)
    for _, spelling in spelled:
        key = spelling(key)
    return key


def one_name(text: str) -> str:
    """Return what paths have in common that differ only in slashes and Unicode composition."""
    return _composed(bare(text.replace("\\", "/")))


def spellings(keys: Sequence[str], waiting: Mapping[str, str], skip: int = 0) -> Iterator[Spelled]:
    """Yield the spellings of the listing's `keys` and of the paths that wait for a match, the most exact first.

    `waiting` maps paths as written to their keys; those that left it by the time of a spelling are not in that one.
    The first `skip` spellings are left out, and those that change nothing; the one after the first is not described.
    """
    written = dict(waiting)
    for place, (described, key) in enumerate(_SPELLINGS):
        before, keys = (keys, written), list(map(key, keys))
        written = {text: key(written[text]) for text in waiting}
        if place == skip or (place > skip and (keys, written) != before):
            yield Spelled("" if place and place == skip else described, keys, written, place)
        if not waiting:
            return
    short = {text: without_extension(written[text]) for text in waiting}
    lacking = {text: key for text, key in short.items() if key == written[text]}
    yield Spelled("without the extension", list(map(without_extension, keys)), lacking, len(_SPELLINGS))
    longer = {text: short[text] for text in waiting if text not in lacking}
    yield Spelled("with an extension that the file lacks", keys, longer, len(_SPELLINGS))
