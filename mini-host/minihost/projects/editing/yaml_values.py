"""Values as YAML in the style of a file: in one line where they fit, quoted only where the reader needs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WIDTH = 120
"""Columns that a line has at most, where a value can be written in several."""

_UNPRINTABLE = r"\x00-\x08\x0b-\x1f\x7f-\xa0\ud800-\udfff\u2028\u2029\ufeff"
_LITERAL = re.compile(rf"[^\s{_UNPRINTABLE}][^{_UNPRINTABLE}]*")


@dataclass(frozen=True)
class Style:
    """How a file is written: line ends, columns of indentation, where dashes stand below their key, and whether
    mappings and lists inside a step stand in one line where they fit."""

    eol: str = "\n"
    indent: int = 2
    dash: int = 2
    is_flow: bool = True
    is_spaced: bool = True
    """Whether a blank line stands between steps."""


def inline(value: Any, quote: str = "") -> str:
    """The value in one line; a text in the given quotes, `'` or `"`, where it can be."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes equal values out each time."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    if isinstance(value, str) and quote:
        text = yaml.dump(value, Dumper=Dumper, default_style=quote, width=10**9, allow_unicode=True)
        if "\n" not in text.strip():
            return text.strip()
    text = yaml.dump([value], Dumper=Dumper, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
    return text.rstrip("\n")[1:-1]


def entry_lines(key: Any, value: Any, column: int, style: Style, *, is_block: bool = False) -> Iterator[str]:
    """The lines of `key: value` in a mapping that stands in a column; `is_block` has one line for each thing in it."""
    head = f"{' ' * column}{inline(key)}:"
    if isinstance(value, str) and (block := _literal(value)):
        yield f"{head} {block}"
        yield from _padded(value, column + style.indent)
        return
    text = f"{head} {inline(value)}"
    is_short = not is_block and len(text) <= WIDTH and not has_block(value)
    is_list = isinstance(value, list) and not any(map(_is_inner, value))
    if not _is_inner(value) or (is_short and (style.is_flow or is_list)):
        yield text
    elif isinstance(value, dict):
        yield head
        for name, inner in value.items():
            yield from entry_lines(name, inner, column + style.indent, style)
    else:
        yield head
        for item in value:
            yield from item_lines(item, column + style.dash, column + style.dash + 2, style)


def item_lines(item: Any, dash: int, column: int, style: Style) -> Iterator[str]:
    """The lines of an item of a list whose dashes stand in one column and what follows them in another."""
    head = " " * dash + "-" + " " * (column - dash - 1)
    if not isinstance(item, dict) or not item:
        yield head + inline(item)
        return
    lines = [line for key, value in item.items() for line in entry_lines(key, value, column, style)]
    yield head + lines[0][column:]
    yield from lines[1:]


def has_block(value: Any) -> bool:
    """Whether a text in it has several lines and is better read in a block of its own."""
    if isinstance(value, dict):
        return any(map(has_block, value.values()))
    return isinstance(value, str) and bool(_literal(value))


def _is_inner(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _literal(text: str) -> str:
    """The sign of a block for a text of several lines; empty where it has to be quoted."""
    if "\n" not in text.strip("\n") or text.endswith("\n\n") or not _LITERAL.fullmatch(text):
        return ""
    return "|" if text.endswith("\n") else "|-"


def _padded(text: str, column: int) -> list[str]:
    return [" " * column + line if line else "" for line in text.removesuffix("\n").split("\n")]
