"""What a macro answered, made ready for a page: a table, a page, a file, a link, JSON or text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from minihost.runs.job_records import JobRecord

ROWS, CELL, TEXT = 500, 2000, 200_000
"""Rows of a table, characters of a cell and of a text that are shown."""


@dataclass(frozen=True)
class Shown:
    """`kind` is table, page, file, link, text or none; the rest as far as it belongs to that."""

    kind: str
    text: str = ""
    title: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    left: int = 0


def shown(record: JobRecord) -> Shown:
    """Return a job's result as a page shows it."""
    answer = record.answer()
    kind, text = answer["type"], answer.get("text")
    if kind == "RESULT_TABLE":
        return _table(answer.get("table"))
    if kind == "JSON":
        return _cut(json.dumps(answer.get("json"), indent=2, ensure_ascii=False))
    if kind == "FILE":
        path = record.file()
        return Shown("file", text=path.name) if path else Shown("text", text="The file is not there any more.")
    if kind == "HTML":
        return Shown("page") if isinstance(text, str) and text.strip() else Shown("none")
    if kind == "URL" and isinstance(text, str):
        return Shown("link" if _is_web(text) else "text", text=text[:CELL])
    return Shown("none")


def _is_web(text: str) -> bool:
    try:
        found = urlsplit(text)
    except ValueError:
        return False
    return found.scheme in ("http", "https") and bool(found.netloc)


def _table(table: Any) -> Shown:
    facts = table if isinstance(table, dict) else {}
    columns, records = facts.get("columns"), facts.get("records")
    columns = columns if isinstance(columns, list) else []
    records = records if isinstance(records, list) else []
    head = tuple(_cell(_label(column)) for column in columns)
    rows = tuple(tuple(map(_cell, row if isinstance(row, list) else [row])) for row in records[:ROWS])
    return Shown("table", title=_cell(facts.get("name")), head=head, rows=rows, left=len(records) - len(rows))


def _label(column: Any) -> Any:
    return (column.get("label") or column.get("id")) if isinstance(column, dict) else column


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= CELL else f"{text[:CELL]} […]"


def _cut(text: str) -> Shown:
    return Shown("text", text=text[:TEXT], left=max(0, len(text) - TEXT))
