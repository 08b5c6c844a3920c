"""A picture that comes as text in JSON: base64, plain or as a data URL, to the bytes of its file."""

from __future__ import annotations

import base64
import binascii
import re

from vision_recipes.images.decoding import Rejected

_DATA_URL = re.compile(r"data:[\w.+/;=-]{0,100};base64,")
_URL_SAFE = str.maketrans("-_", "+/", " \t\r\n")


def from_base64(text: object, limit: int) -> bytes:
    """Return the bytes; raises Rejected for what is no base64, and for more than `limit` bytes, before decoding them.

    Line breaks, both alphabets of RFC 4648 and missing padding are fine.
    """
    if not isinstance(text, str):
        raise Rejected("unreadable", f"the picture is {type(text).__name__}, not a text in base64")
    if len(text) > limit * 3 // 2 + 200:
        raise Rejected("too_large", f"more than {limit} bytes")
    start = _DATA_URL.match(text)
    plain = text[start.end() if start else 0 :].translate(_URL_SAFE).rstrip("=")
    try:
        content = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error) as err:
        raise Rejected("unreadable", f"the picture is not base64 (begins {text[:20]!r}): {err}") from err
    if len(content) > limit:
        raise Rejected("too_large", f"more than {limit} bytes")
    return content
