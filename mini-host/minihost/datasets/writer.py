"""What all writers of datasets share: in a `with` block the data is put in place at its end, or nothing is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

from minihost.errors import DataError, counted


class Writer(ABC):
    """Writes rows to a file beside the final one; unclosed, nothing appears."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left and put the data in place; a second call does nothing."""

    @abstractmethod
    def abandon(self) -> None:
        """Drop what was written, unless it is in place already."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.abandon()


def check_width(row: Sequence[Any], width: int, place: object) -> None:
    """Raise `DataError` where a row for the table at `place` has another number of cells than the schema columns."""
    if len(row) != width:
        raise DataError(f"{place}: a row has {counted(len(row), 'cell')}, the schema has {counted(width, 'column')}.")
