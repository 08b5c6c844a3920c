"""Addresses of pages and what they say: file names may be any bytes, and none of them may change how a page reads."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

from flask import request

LONGEST = 16_384
"""Characters of an address's query that are looked at."""

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROLS = {9: "␉", 10: "␊"}


def address(page: str, **facts: object) -> str:
    """Return the address of a page with these facts in its query; empty ones are left out."""
    query = urlencode(
        {name: value for name, value in facts.items() if value not in (None, "")}, errors="surrogateescape"
    )
    return f"{page}?{query}" if query else page


def asked() -> dict[str, str]:
    """Return the query of the request: name -> value, with the bytes of file names as Python has them."""
    text = request.query_string[:LONGEST].decode("ascii", "replace")
    return dict(parse_qsl(text, keep_blank_values=True, errors="surrogateescape"))


def shown(text: str) -> str:
    """Return text for people: characters that cannot be seen, or that turn the writing direction, as their code."""
    return _INVISIBLE.sub(_code, text)


def shown_name(text: str) -> str:
    """Return a name for people, in one line."""
    return shown(text).translate(_CONTROLS)


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    return chr(0x2400 + number) if number < 0x20 else f"\\u{number:04x}"
