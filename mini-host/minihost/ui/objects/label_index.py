"""What a dataset says of the pictures of a folder, in a database of its own on disk: any picture's rows are found at
once, and memory stays as it is however long the dataset is."""

from __future__ import annotations

import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from minihost.datasets import cells
from minihost.errors import HostError
from minihost.ui.objects.path_columns import PathColumn

MOST_ROWS = 3_000_000
"""Rows that are read; the page says so where a dataset has more."""

MOST_LABELS = 200
LONGEST_CELL = 300
AT_ONCE = 2000
PAUSE = 0.01
"""Seconds between batches: pages that somebody waits for go first."""

ROLES = {
    "label": ("label", "predicted_label", "prediction_label", "predicted", "class", "class_name", "category", "target"),
    "truth": ("truth", "true_label", "actual", "expected", "ground_truth", "label_true"),
    "probability": ("probability", "confidence", "proba", "score"),
    "error": ("error",),
    "reason": ("reason",),
}
"""What is shown beside a picture -> names of columns that hold it, the first that there is."""

ORDERS = {"path": "path", "row": "n", "unsure": "probability IS NULL, probability", "sure": "probability DESC"}
"""How pictures may be ordered -> the terms of the query."""


@dataclass(frozen=True)
class Caption:
    """What one row says of a picture; `cells` are all its cells by the name of their column."""

    label: str = ""
    truth: str = ""
    probability: float | None = None
    error: bool = False
    reason: str = ""
    cells: dict[str, str] = field(default_factory=dict)

    @property
    def is_wrong(self) -> bool:
        """Whether the true label is another one."""
        return bool(self.truth and self.label and self.truth != self.label)


@dataclass(frozen=True)
class Wanted:
    """Which pictures: `under` a folder, with a text in their path, with a label; those in error or wrong alone."""

    under: str = ""
    text: str = ""
    label: str = ""
    only: str = ""
    order: str = "path"


class LabelIndex:
    """The rows of one dataset by the path of their picture; a thread of its own fills it."""

    def __init__(self, table: Any, columns: list[str], found: PathColumn) -> None:
        self.table, self.columns, self.found = table, columns, found
        self.places = {role: place_of(columns, role, found.column) for role in ROLES}
        self.rows, self.is_cut, self.mistake = 0, False, ""
        self.ready = threading.Event()
        self._lock = threading.Lock()
        self._database = sqlite3.connect("", check_same_thread=False)  # a file without a name: it goes with us
        self._database.execute(
            "CREATE TABLE rows (path TEXT, n INTEGER, label TEXT, truth TEXT, probability REAL, error INTEGER, "
            "reason TEXT, cells TEXT)"
        )
        threading.Thread(target=self._fill, daemon=True).start()

    def has(self, role: str) -> bool:
        """Whether a column fills a role of a caption."""
        return self.places[role] is not None

    def labels(self) -> list[tuple[str, int]]:
        """Return the labels with their pictures counted, the commonest first, at most `MOST_LABELS`."""
        query = "SELECT label, COUNT(DISTINCT path) AS found FROM rows WHERE label <> '' GROUP BY label"
        return self._ask(f"{query} ORDER BY found DESC, label LIMIT ?", [MOST_LABELS])

    def counts(self) -> dict[str, int]:
        """Return how many rows are in error, and how many have another label than the true one."""
        found = self._ask(f"SELECT COALESCE(SUM({_ONLY['errors']}), 0), COALESCE(SUM({_ONLY['wrong']}), 0) FROM rows")
        errors, wrong = found[0] if found else (0, 0)
        return {"errors": errors, "wrong": wrong}

    def captions(self, paths: Sequence[str]) -> dict[str, Caption]:
        """Return the first row of each path that has one."""
        marks = ", ".join("?" * len(paths))
        fields = "path, label, truth, probability, error, reason"
        rows = self._ask(
            f"SELECT {fields} FROM rows WHERE path IN ({marks}) ORDER BY n DESC", list(map(cells.escape, paths))
        )
        return {cells.unescape(row[0]): Caption(row[1], row[2], row[3], bool(row[4]), row[5]) for row in rows}

    def rows_of(self, path: str, most: int = 20) -> list[dict[str, str]]:
        """Return the rows of a path, each with all its cells."""
        found = self._ask("SELECT cells FROM rows WHERE path = ? ORDER BY n LIMIT ?", [cells.escape(path), most])
        return [dict(zip(self.columns, json.loads(row[0]), strict=False)) for row in found]

    def paths(self, wanted: Wanted, start: int, size: int) -> list[str]:
        """Return paths of pictures as they are wanted, from the one of this number on; each comes once."""
        terms, values = ["1"], []
        if wanted.under.strip("/"):
            terms.append("substr(path, 1, ?) = ?")
            prefix = cells.escape(wanted.under.rstrip("/") + "/")
            values += [len(prefix), prefix]
        if wanted.text:
            terms.append("instr(lower(path), ?) > 0")
            values.append(cells.escape(wanted.text.lower()))
        if wanted.label:
            terms.append("label = ?")
            values.append(cells.escape(wanted.label))
        if wanted.only:
            terms.append(_ONLY[wanted.only])
        order = ORDERS.get(wanted.order, "path")
        query = (
            f"SELECT path FROM rows WHERE {' AND '.join(terms)} GROUP BY path ORDER BY {order}, path LIMIT ? OFFSET ?"
        )
        return [cells.unescape(row[0]) for row in self._ask(query, [*values, size, start])]

    def close(self) -> None:
        """Let go of the database; what is asked afterwards is empty."""
        with self._lock:
            self._database.close()

    def _ask(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            try:
                return self._database.execute(query, values).fetchall()
            except sqlite3.Error:
                return []

    def _fill(self) -> None:
        try:
            rows = self.table.text_rows()
            while batch := list(itertools.islice(rows, AT_ONCE)):
                stored = [one for number, row in enumerate(batch, self.rows) if (one := self._stored(row, number))]
                with self._lock:
                    self._database.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", stored)
                self.rows += len(batch)
                time.sleep(PAUSE)
                if self.rows >= MOST_ROWS:
                    self.is_cut = True
                    break
            with self._lock:
                self._database.execute("CREATE INDEX by_path ON rows (path)")
                self._database.execute("CREATE INDEX by_label ON rows (label, path)")
        except HostError as err:
            self.mistake = str(err)
        except (sqlite3.Error, OSError) as err:
            self.mistake = f"The labels cannot be kept: {err}."
        finally:
            self.ready.set()

    def _stored(self, row: list[str], number: int) -> tuple[Any, ...] | None:
        path = self.found.path(row[self.found.column]) if row[self.found.column] else ""
        if not path:
            return None
        said = {role: "" if place is None else cells.escape(row[place]) for role, place in self.places.items()}
        kept = json.dumps([cells.escape(cell[:LONGEST_CELL]) for cell in row])
        failed = int(said["error"].lower() not in ("", "0", "0.0", "false"))
        probability = _number_of(said["probability"])
        return (
            cells.escape(path),
            number,
            said["label"][:LONGEST_CELL],
            said["truth"][:LONGEST_CELL],
            probability,
            failed,
            said["reason"][:LONGEST_CELL],
            kept,
        )


_ONLY = {
    "errors": "(error <> 0 OR (label = '' AND reason <> ''))",
    "wrong": "(truth <> '' AND label <> '' AND truth <> label)",
}
"""What pictures may be asked for alone -> the term of the query."""


def place_of(columns: Sequence[str], role: str, path_column: int) -> int | None:
    """Return the number of the column that fills a role, None where no column does."""
    by_name = {name.lower(): place for place, name in reversed(list(enumerate(columns))) if place != path_column}
    return next((by_name[name] for name in ROLES[role] if name in by_name), None)


def _number_of(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
