"""Rows that belong to one thing, such as the photos of a house, made one row: the mean of their vectors."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.dataset.cell_text import column_text
from vision_recipes.dataset.column_encoding import as_number, says_missing
from vision_recipes.dataset.feature_table import FeatureTable
from vision_recipes.dataset.mapped_arrays import RowWriter
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")


def combine_rows(table: FeatureTable, column: str, workdir: Path) -> FeatureTable:
    """Return a table with one row for each value of a column, in the order of their first rows.

    The vector is the mean; a path is the first. Of other cells, numbers that differ give their mean, texts the most
    common one. Rows whose cell is empty stay alone, and so does the only row of a value.
    """
    text = column_text(table.cells[column])
    units: dict[str, list[int]] = {}
    for row, cell in enumerate(table.cells[column]):
        units.setdefault(text(cell) or f"\0{row}", []).append(row)
    rows = list(units.values())
    writer = RowWriter(workdir / f"combined-{len(list(workdir.iterdir()))}")
    for unit in rows:
        writer.append(np.asarray(table.vectors[unit], np.float64).mean(axis=0).astype(np.float32))
    cells: dict[str, Sequence[Any]] = {}
    differing = Counter[str]()
    for name, every in table.cells.items():
        cells[name] = [_one([every[row] for row in unit], name, differing) for unit in rows]
    log.info(
        "%s made %s by column %r, each with the mean of its vectors",
        counted(len(table), "row"),
        counted(len(rows), "row"),
        column,
    )
    for name, count in differing.items():
        log.warning(
            "column %r differs within %s of %s: numbers count as their mean, texts as the most common",
            name,
            counted(count, "combined row"),
            f"{len(rows):,}",
        )
    paths = [table.paths[unit[0]] for unit in rows]
    types = {name: _type(table.types[name], every) for name, every in cells.items()}
    return replace(table, paths=paths, vectors=writer.array(), cells=cells, types=types)


def _type(kind: str, cells: Sequence[Any]) -> str:
    """Return the storage type of combined cells: the mean of whole numbers may be none."""
    return "double" if any(isinstance(cell, float) for cell in cells) and kind != "string" else kind


def _one(cells: Sequence[Any], name: str, differing: Counter[str]) -> Any:
    filled = [cell for cell in cells if not says_missing(cell)]
    if not filled:
        return cells[0]
    counts = Counter(map(str, filled))
    if len(counts) == 1:
        return filled[0]
    differing[name] += 1
    numbers = [as_number(cell) for cell in filled]
    if None not in numbers:
        return float(np.mean([float(number or 0) for number in numbers]))
    most = counts.most_common(1)[0][0]
    return next(cell for cell in filled if str(cell) == most)
