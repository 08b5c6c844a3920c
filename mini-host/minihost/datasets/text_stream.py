"""Rows as the CSV text that pandas reads frames from."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence


class TextOf:
    """Rows as a stream of CSV text without header, made as it is read, for pandas."""

    def __init__(self, rows: Iterator[Sequence[str]], name: str) -> None:
        self.rows, self.name = rows, name
        self.kept = ""

    def read(self, size: int = -1) -> str:
        """Return at most `size` characters, or all that is left; empty at the end."""
        buffer = io.StringIO(newline="")
        buffer.write(self.kept)
        writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
        while size < 0 or buffer.tell() < size:
            rows = list(itertools.islice(self.rows, 64))
            if not rows:
                break
            writer.writerows(rows)
        text = buffer.getvalue()
        if size < 0:
            size = len(text)
        self.kept = text[size:]
        return text[:size]

    def __iter__(self) -> Iterator[str]:
        """Yield the text in pieces."""
        while text := self.read(1 << 16):
            yield text
