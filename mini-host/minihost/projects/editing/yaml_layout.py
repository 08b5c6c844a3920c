"""Where the nodes of a YAML text stand: each with its first and last character."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from typing import Any

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass
class Node:
    """A node: `kind` is map, seq, scalar or alias; `items` are (key, value) pairs of a map, or the items of a seq.

    `value` is the text of a scalar, `style` its quotes (`'`, `"`, `|`, `>`, or the empty text). `end` of a block
    collection is that of its last item.
    """

    kind: str
    start: int
    end: int
    is_flow: bool = False
    style: str = ""
    value: str = ""
    items: list[Any] = field(default_factory=list)

    def entry(self, name: str) -> tuple[int, Node] | None:
        """The place of a key in a map and its value; None where it has no such key of its own."""
        pairs = self.items if self.kind == "map" else ()
        return next(((place, value) for place, (key, value) in enumerate(pairs) if key.value == name), None)


class Layout:
    """A text and its root node, None where it holds nothing. The text is YAML, as it was read before."""

    def __init__(self, text: str) -> None:
        import yaml

        self.text = text
        self.starts = [0, *(found.end() for found in _BREAK.finditer(text))]
        events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.root = self._node(events, self._first(events))

    def line_start(self, offset: int) -> int:
        """The first character of the line."""
        return self.starts[bisect.bisect_right(self.starts, offset) - 1]

    def next_line(self, offset: int) -> int:
        """The first character of the line after; the length of the text on the last one."""
        place = bisect.bisect_right(self.starts, offset)
        return self.starts[place] if place < len(self.starts) else len(self.text)

    def column(self, offset: int) -> int:
        """How many characters stand before it in its line."""
        return offset - self.line_start(offset)

    def line_number(self, offset: int) -> int:
        """The number of its line, from 1."""
        return bisect.bisect_right(self.starts, offset)

    def line(self, start: int) -> str:
        """The line that starts there, without its end."""
        return self.text[start : self.next_line(start)].rstrip("\r\n\x85\u2028\u2029")

    def is_blank(self, start: int) -> bool:
        """Whether the line that starts there is blank; there is none after the last."""
        return start < len(self.text) and not self.line(start).strip()

    def lead(self, offset: int, column: int) -> int:
        """Where an entry begins whose key or dash stands there: its line, or the comment directly above it."""
        start = self.line_start(offset)
        while start > 0:
            above = self.line_start(start - 1)
            indent = _indent_of_comment(self.line(above))
            if indent is None or indent > column:
                break
            start = above
        return start

    def tail(self, end: int, column: int) -> int:
        """Where the line after an entry begins: after the comments that are indented more than its key or dash."""
        start = self.next_line(max(end, 0))
        while start < len(self.text):
            indent = _indent_of_comment(self.line(start))
            if indent is None or indent <= column:
                break
            start = self.next_line(start)
        return start

    def _offset(self, mark: Any) -> int:
        return self.starts[mark.line] + int(mark.column) if mark.line < len(self.starts) else len(self.text)

    def _first(self, events: Any) -> Any:
        for event in events:
            if type(event).__name__ not in ("StreamStartEvent", "DocumentStartEvent"):
                return event
        return None

    def _node(self, events: Any, event: Any) -> Node | None:
        kind = type(event).__name__
        if event is None or kind in ("StreamEndEvent", "DocumentEndEvent"):
            return None
        start, end = self._offset(event.start_mark), self._offset(event.end_mark)
        if kind == "AliasEvent":
            return Node("alias", start, end)
        if kind == "ScalarEvent":
            style = event.style if event.style in ("'", '"', "|", ">") else ""
            if style in ("|", ">"):
                end = start + len(self.text[start:end].rstrip())
            return Node("scalar", start, end, style=style, value=event.value)
        node = Node("map" if kind == "MappingStartEvent" else "seq", start, end, bool(event.flow_style))
        while (inner := next(events)).__class__.__name__ not in ("MappingEndEvent", "SequenceEndEvent"):
            found = self._node(events, inner)
            node.items.append((found, self._node(events, next(events))) if node.kind == "map" else found)
        if node.is_flow:
            node.end = self._offset(inner.end_mark)
        elif node.items:
            last = node.items[-1]
            node.end = (last[1] if isinstance(last, tuple) else last).end
        return node


def _indent_of_comment(line: str) -> int | None:
    """How far a line that is a comment is indented, None for another line."""
    bare = line.lstrip(" \t")
    return len(line) - len(bare) if bare.startswith("#") else None
