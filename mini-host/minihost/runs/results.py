"""What a macro answers: HTML, a table, a URL, a file, JSON or nothing, from the child to the terminal."""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from minihost.errors import counted

KINDS = ("HTML", "RESULT_TABLE", "URL", "NONE", "FILE", "FOLDER_FILE", "JSON_OBJECT")
"""Result types of macros."""


def packed(result: Any, descriptor: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a macro's answer as facts that can be written as JSON; a file is moved into the job's folder."""
    kind = str(descriptor.get("resultType", "HTML"))
    for text in _oddities(result, kind):
        print(f"warning: {text}", file=sys.stderr)
    if hasattr(result, "records") and hasattr(result, "columns"):
        return {
            "type": "RESULT_TABLE",
            "table": {"name": result.name, "columns": result.columns, "records": result.records},
        }
    if result is None or kind == "NONE":
        return {"type": "NONE"}
    if kind in ("FILE", "FOLDER_FILE"):
        return {"type": "FILE", "path": str(_kept_file(result, descriptor, folder))}
    if kind in ("JSON", "JSON_OBJECT") or isinstance(result, dict | list):
        return {"type": "JSON", "json": result}
    return {"type": "URL" if kind == "URL" else "HTML", "text": str(result)}


def _oddities(result: Any, kind: str) -> Iterator[str]:
    """What a macro's answer has that its descriptor does not announce; the platform may not show such an answer."""
    is_table = hasattr(result, "records") and hasattr(result, "columns")
    fits = {"RESULT_TABLE": is_table, "HTML": isinstance(result, str), "URL": isinstance(result, str)}
    if result is not None and kind in (*KINDS, "JSON") and not fits.get(kind, not is_table):
        got = "a ResultTable" if is_table else f"{type(result).__name__} {result!r:.40}"
        yield f'runnable.json has "resultType": "{kind}", but run returned {got}. Change one of the two.'
    for number, record in enumerate(result.records if is_table else (), start=1):
        if len(record) != len(result.columns):
            cells, columns = counted(len(record), "cell"), counted(len(result.columns), "column")
            yield f"the table that run returned has {columns}, and its record {number} has {cells}."
            return


def _kept_file(result: Any, descriptor: dict[str, Any], folder: Path) -> Path:
    """Put the file of a FILE macro (its path, its bytes or its text) among what is kept of the job."""
    ending = str(descriptor.get("extension") or "").lstrip(".")
    if isinstance(result, str | Path) and Path(result).is_file():
        target = folder / ("result-" + Path(result).name if not ending else f"result.{ending}")
        shutil.copyfile(result, target)
        return target
    target = folder / f"result.{ending or 'bin'}"
    target.write_bytes(result if isinstance(result, bytes) else str(result).encode())
    return target


def as_text(result: dict[str, Any] | None) -> str:
    """Return an answer as text for a terminal."""
    facts = result or {"type": "NONE"}
    if facts["type"] == "RESULT_TABLE":
        return _table(facts["table"])
    if facts["type"] == "JSON":
        return json.dumps(facts["json"], indent=2, ensure_ascii=False)
    if facts["type"] == "FILE":
        return f"File: {facts['path']}"
    if facts["type"] == "HTML":
        return plain(facts["text"])
    return str(facts.get("text", ""))


def bare(result: dict[str, Any]) -> str:
    """Return an answer as text for other programs: of a file its path alone."""
    return str(result["path"]) if result["type"] == "FILE" else as_text(result)


def _table(table: dict[str, Any]) -> str:
    head = [str(column.get("label") or column["id"]) for column in table["columns"]]
    rows = [
        [", ".join(map(str, cell)) if isinstance(cell, list) else str(cell) for cell in record]
        for record in table["records"]
    ]
    widths = [max(len(row[place]) for row in [head, *rows] if place < len(row)) for place in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in [head, *rows]
    ]
    title = [str(table["name"])] if table.get("name") else []
    return "\n".join([*title, lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


CELL = "\x1f"
"""Stands before each cell of a table until blanks are squeezed: two blanks set cells apart."""


class _Text(HTMLParser):
    """Gathers the text of a page, a line for each block."""

    BLOCKS = ("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "pre")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.silent += tag in ("script", "style")
        self.pieces.append({"li": "\n- ", "td": CELL, "th": CELL}.get(tag, "\n" if tag in self.BLOCKS else ""))

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")
        self.pieces.append("\n" if tag in self.BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.pieces.append(data)


def plain(page: str) -> str:
    """Return the text of an HTML page, without control characters."""
    parser = _Text()
    parser.feed(page)
    parser.close()
    text = html.unescape("".join(parser.pieces))
    lines = [re.sub(r"[ \t]+", " ", line).replace(CELL, "  ").strip() for line in re.split(r"[\r\n]+", text)]
    text = "\n".join(line for line in lines if line)
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")
