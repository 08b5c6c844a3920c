"""Reads the JSON that plugin descriptors are really written in: comments, single quotes, `;` for `,`, and limits.

A strict file is read by the standard library. Any other goes through a small reader of our own: the mix that DSS
accepts (`//`, `/* */` and `#` comments, single quotes, `;` separators, backslash-newline, raw newlines in strings) is
more than JSON5, whose libraries stop at `#`, `;` and raw newlines, and take 50 times as long. Files are not trusted:
size, depth and length of numbers have caps.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minihost.lenient_reader import MAX_DEPTH, Document, LenientJsonError, Reader, Relaxation, number_of
from minihost.regular_files import open_regular

__all__ = ["Document", "LenientJsonError", "Relaxation", "loads", "read_object", "read_text"]

MAX_BYTES = 1_000_000
_KINDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false", type(None): "null"}


def read_object(path: Path) -> Document:
    """Read a descriptor whose top level must be an object; raise `LenientJsonError` naming the file otherwise."""
    text = read_text(path)
    try:
        document = loads(text)
    except LenientJsonError as err:
        raise LenientJsonError(f"{path}: {err}") from err
    if not isinstance(document.value, dict):
        raise LenientJsonError(f"{path}: the top level is {_KINDS[type(document.value)]}; an object {{…}} is expected")
    return document


def read_text(path: Path) -> str:
    """Read a small regular UTF-8 file from an untrusted source: no pipes or devices, at most 1 MB."""
    try:
        with open_regular(path) as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as err:
        raise LenientJsonError(f"{path}: {err.strerror or err}") from err
    if len(content) > MAX_BYTES:
        raise LenientJsonError(f"{path}: more than {MAX_BYTES:,} bytes, too large for a descriptor")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as err:
        raise LenientJsonError(f"{path}: not UTF-8 text (byte {err.start})") from err


def loads(text: str) -> Document:
    """Read a text, strictly where it is strict; raise `LenientJsonError` with a line number where nothing helps."""
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=number_of, parse_int=number_of
        )
    except (ValueError, RecursionError):
        return Reader(text).document()
    return Reader(text).document() if _is_deeper(value, MAX_DEPTH) else Document(value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("duplicate key")
    return members


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _is_deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        parts = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))]
        level = [child for part in parts for child in part]
        if not level:
            return False
    return True
