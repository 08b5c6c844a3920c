"""The plainest reading of Markdown: headings, lists, code and paragraphs as text, which the page then escapes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>|~])")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+(.*)")
MOST = 2000


@dataclass(frozen=True)
class Block:
    """`kind` is heading, list, code or text; `lines` are its lines, one for each item of a list."""

    kind: str
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All lines; those of a paragraph in one."""
        return ("\n" if self.kind == "code" else " ").join(self.lines)


def blocks(markdown: str) -> list[Block]:
    """Return the blocks of a text. Emphasis, links and HTML stay as they are written."""
    found: list[Block] = []
    fence = ""
    is_open = False
    for line in markdown.splitlines():
        mark = line.strip()[:3]
        if fence or mark in ("```", "~~~"):
            if not fence:
                fence = mark
                found.append(Block("code"))
            elif mark == fence and not line.strip().strip(fence[0]):
                fence = ""
            else:
                found[-1].lines.append(line)
            is_open = False
            continue
        heading, item = _HEADING.match(line), _ITEM.match(line)
        if heading:
            found.append(Block("heading", [_plain(heading[2])]))
        elif item:
            if not (is_open and found[-1].kind == "list"):
                found.append(Block("list"))
            found[-1].lines.append(_plain(item[1]))
        elif line.strip() and is_open:
            if found[-1].kind == "list":
                found[-1].lines[-1] += " " + _plain(line.strip())
            else:
                found[-1].lines.append(_plain(line.strip()))
        elif line.strip():
            found.append(Block("text", [_plain(line.strip())]))
        is_open = bool(line.strip()) and not heading
        if len(found) >= MOST:
            break
    return found


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
