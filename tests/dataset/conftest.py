"""A table in memory, for the tests of training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass
class MemoryTable:
    name: str
    columns: list[str]
    cells: list[tuple[Any, ...]]

    @property
    def types(self) -> Mapping[str, str]:
        return dict.fromkeys(self.columns, "string")

    def rows(self) -> Iterator[Mapping[str, Any]]:
        for cells in self.cells:
            yield dict(zip(self.columns, cells, strict=True))


@pytest.fixture
def table():
    def make(columns: str, *cells: tuple[Any, ...], name: str = "labels") -> MemoryTable:
        return MemoryTable(name, columns.split(), list(cells))

    return make
