"""Tables whose rows are typed values, which files of text are not; frames are made of their text all the same."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from minihost.datasets import schema
from minihost.datasets.sql import values
from minihost.datasets.text_stream import TextOf


class RowTable(ABC):
    """What a table offers to its readers, made of its typed rows."""

    path: Any
    escaped = False
    """Text is stored as it is."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is data, possibly without rows."""

    @abstractmethod
    def columns(self) -> schema.Columns:
        """Return the columns."""

    @abstractmethod
    def values(self) -> Iterator[tuple[Any, ...]]:
        """Yield each row, values typed by the columns, None for null."""

    def text_rows(self) -> Iterator[list[str]]:
        """Yield each row as the text of its cells, streaming."""
        writers = [values.writer(column["type"]) for column in self.columns()]
        for row in self.values():
            yield [write(cell) for write, cell in zip(writers, row, strict=True)]

    def pandas_source(self) -> dict[str, Any]:
        """Return arguments with which pandas.read_csv reads the data: frames are made from text, always.

        Numbers are read exactly, so that what is copied is the same in the other table.
        """
        text = TextOf(self.text_rows(), str(self.path))
        return {"filepath_or_buffer": text, "header": None, "float_precision": "round_trip"}
