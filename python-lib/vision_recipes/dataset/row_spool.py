"""Rows in a temporary file, several streams of them, each read back in the order in which it was written.

Memory holds a small piece of each stream, however many and long they are; an open reader of the parts themselves may
hold a group of rows with their vectors.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import orjson

from vision_recipes.rows import Column

_PIECE = 1 << 14
"""Bytes of a stream that are read at once."""

_DATES = ("date", "datetimenotz", "dateonly")


class RowSpool:
    """Rows with the cells of `columns`; a vector of single precision takes four bytes for each number.

    Cells are text, numbers, true or false, dates and None, as a table gives them; those of the column `vector` are
    JSON text or lists of numbers, and come back as lists.
    """

    def __init__(self, path: Path, columns: Sequence[Column], vector: str = "") -> None:
        self._names = [column.name for column in columns]
        self._vector = self._names.index(vector) if vector else None
        self._dates = [place for place, column in enumerate(columns) if column.type in _DATES]
        self._stream = open(path, "w+b")  # noqa: SIM115 - closed by __exit__
        self._starts: list[int] = []
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def start(self) -> int:
        """Begin another stream, which takes all rows from here on, and return its number, from 0."""
        self._starts.append(self._size)
        return len(self._starts) - 1

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row to the stream that was started last."""
        cells, numbers = [row.get(name) for name in self._names], b""
        for place in self._dates:
            moment = cells[place]
            if isinstance(moment, date):
                cells[place] = [moment.isoformat()]
        if self._vector is not None and cells[self._vector] is not None:
            kind, numbers = _packed(cells[self._vector])
            cells[self._vector] = [kind, len(numbers)]
        line = json.dumps(cells, default=_plain).encode() + b"\n"
        self._stream.write(line)
        self._stream.write(numbers)
        self._size += len(line) + len(numbers)

    def streams(self) -> list[Iterator[dict[str, Any]]]:
        """Return an iterator over the rows of each stream; no more rows can be added."""
        self._stream.flush()
        ends = [*self._starts[1:], self._size]
        return [self._rows(*ends_of) for ends_of in zip(self._starts, ends, strict=True)]

    def _rows(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        piece = _Piece(self._stream.fileno(), start, end)
        while not piece.at_end:
            cells = json.loads(piece.line())
            for place in self._dates:
                if isinstance(cells[place], list):
                    cells[place] = _moment(cells[place][0])
            if self._vector is not None and cells[self._vector] is not None:
                kind, length = cells[self._vector]
                cells[self._vector] = np.frombuffer(piece.read(length), kind).astype(np.float64).tolist()
            yield dict(zip(self._names, cells, strict=True))


class _Piece:
    """A part of a file, read in small pieces at places of its own, so that many take turns in one file."""

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor, self._next, self._end = descriptor, start, end
        self._held, self._place = b"", 0

    @property
    def at_end(self) -> bool:
        return self._place == len(self._held) and self._next == self._end

    def line(self) -> bytes:
        while (found := self._held.find(b"\n", self._place)) < 0:
            self._more(_PIECE)
        line, self._place = self._held[self._place : found], found + 1
        return line

    def read(self, length: int) -> bytes:
        self._more(length - (len(self._held) - self._place))
        self._place += length
        return self._held[self._place - length : self._place]

    def _more(self, length: int) -> None:
        if length > 0:
            found = os.pread(self._descriptor, min(max(length, _PIECE), self._end - self._next), self._next)
            self._next += len(found)
            self._held, self._place = self._held[self._place :] + found, 0


def _packed(vector: Any) -> tuple[str, bytes]:
    """Return numbers as bytes, and their kind: single precision where that loses nothing."""
    double = np.array(orjson.loads(vector) if isinstance(vector, str) else vector, "<f8")
    with np.errstate(over="ignore"):
        single = double.astype("<f4")
    return ("<f4", single.tobytes()) if np.array_equal(single, double) else ("<f8", double.tobytes())


def _plain(value: Any) -> Any:
    """Return a number of another library as one of Python, and anything else as text."""
    return value.item() if hasattr(value, "item") else str(value)


def _moment(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
