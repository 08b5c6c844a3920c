"""Names as a picture can show them: in two lines, in whole characters, whatever they hold."""

from __future__ import annotations

import re
import unicodedata

WIDTH = 18
"""How many letters of common width a line has."""

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_BREAK = re.compile(r"(?<=[-_./\s:])|(?<=[a-z])(?=[A-Z])")
_JOINERS = ("\u200d", "\ufe0f", "\ufe0e")


def shown(text: str) -> str:
    """Return a text without what XML forbids and what would turn around the writing beside it."""
    return _UNSAFE.sub("\ufffd", text)


def lines(name: str) -> list[str]:
    """Return a name in one or two lines; of a longer one the beginning and the end, which tell it from others."""
    text = " ".join(shown(name).split()) or "\ufffd"
    if _width(text) <= WIDTH:
        return [text]
    first, rest = "", text
    for piece in _BREAK.split(text):
        if _width(first + piece) > WIDTH:
            break
        first += piece
        rest = text[len(first) :]
    if _width(first) >= WIDTH / 3 and _width(rest.strip()) <= WIDTH:
        return [first.strip(), rest.strip()]
    characters = _characters(text)
    head = _taken(characters, WIDTH)
    tail = _taken(characters[len(head) :][::-1], WIDTH)[::-1]
    if len(head) + len(tail) < len(characters):
        tail = ["\u2026", *tail[1:]]
    return ["".join(head).strip(), "".join(tail).strip()]


def _characters(text: str) -> list[str]:
    """The characters as a reader counts them: an accent or a joined emoji belongs to the one before it."""
    found: list[str] = []
    for one in text:
        joins = unicodedata.combining(one) or one in _JOINERS or (found and found[-1].endswith("\u200d"))
        if joins and found and len(found[-1]) < 16:
            found[-1] += one
        else:
            found.append(one)
    return found


def _taken(characters: list[str], width: int) -> list[str]:
    found: list[str] = []
    for one in characters:
        width -= _width(one[0])
        if width < 0:
            break
        found.append(one)
    return found


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else not unicodedata.combining(one) for one in text)
