"""A dataset of feature vectors, as the extract recipe writes it: its vectors on disk, its other cells beside them."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from vision_recipes.dataset.cell_text import label_text
from vision_recipes.dataset.mapped_arrays import RowWriter
from vision_recipes.errors import FeatureTableError, columns_listed, did_you_mean
from vision_recipes.stores import Table
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

PATH_NAMES = ("images", "path", "paths", "image", "picture", "file", "filename", "file_name")
VECTOR_NAMES = ("prediction", "features", "feature", "vector", "embedding", "embeddings")
NO_VECTOR, NOT_FINITE = "no_vector", "not_finite"
_NUMBERED = re.compile(r"(.*\D)(\d+)")
_SAMPLE = 50


@dataclass(frozen=True)
class Rejected:
    """A row without a usable vector: its path, why ("no_vector", "not_finite", or its own reason), and its cells."""

    path: str
    reason: str
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class FeatureTable:
    """The rows of a dataset that have a feature vector, in its order.

    `paths` are the texts of `path_column`, all empty where there is none. `vectors` is float32 (n, d), read-only,
    usually on disk. `cells` holds every other column that was asked for, one list of n cells each; `types` their
    storage types. `rejected` are the rows left out.
    """

    name: str
    path_column: str
    paths: Sequence[str]
    vectors: np.ndarray
    cells: Mapping[str, Sequence[Any]]
    types: Mapping[str, str]
    rejected: Sequence[Rejected] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.paths)


def read_feature_table(
    table: Table,
    workdir: Path,
    *,
    vector_column: str = "",
    path_column: str = "",
    columns: Sequence[str] | None = None,
    need_paths: bool = True,
) -> FeatureTable:
    """Return the vectors of a dataset, written into a file of `workdir`, with the cells of `columns` (None: all).

    A vector is an array, as a list or as JSON text, in one column, or the numbers of several, such as feature_0001 and
    so on. Without names, the column of vectors and that of paths are those that are called so, or the only ones that
    can be. Rows without a vector, or with numbers that are not finite, are listed apart. Raises FeatureTableError when
    columns are missing, vectors differ in length, or no row has one.
    """
    rows = iter(table.rows())
    first = list(islice(rows, _SAMPLE))
    if not first:
        raise FeatureTableError(f"Dataset {table.name} has no rows. Run the recipe that fills it.")
    sources = _vector_columns(table, first, vector_column)
    path_name = _path_column(table, path_column, sources, needed=need_paths)
    names = _others(table, columns, {*sources, path_name})
    cells: dict[str, list[Any]] = {name: [] for name in names}
    paths: list[str] = []
    rejected: list[Rejected] = []
    writer, length = RowWriter(workdir / f"vectors-{len(list(workdir.iterdir()))}"), 0
    vector_of = _vector_reader(sources)
    for number, row in enumerate(chain(first, rows), 1):
        path = (label_text(row.get(path_name)) or "") if path_name else ""
        vector = vector_of(row)
        reason = _reason(row, vector, path, needs_path=bool(path_name))
        if reason or vector is None:
            rejected.append(Rejected(path, reason, {name: row.get(name) for name in names}))
            continue
        length = length or len(vector)
        if len(vector) != length:
            raise FeatureTableError(
                f"Dataset {table.name}: row {number} ({path or 'no path'}) has a vector of {len(vector)} numbers, "
                f"those before have {length}. Vectors of one dataset come from one layer of one model."
            )
        writer.append(vector)
        paths.append(path)
        for name in names:
            cells[name].append(row.get(name))
    vectors = writer.array()
    _report(table.name, len(paths), rejected)
    return FeatureTable(table.name, path_name, paths, vectors, cells, {n: table.types[n] for n in names}, rejected)


def _vector_columns(table: Table, rows: Sequence[Mapping[str, Any]], given: str) -> list[str]:
    """Return the one column that holds vectors, or those whose numbers are one."""
    if given:
        _require(table, given, "vector_column")
        return [given]
    arrays = [name for name in table.columns if any(_as_vector(row.get(name)) is not None for row in rows)]
    called = [name for usual in VECTOR_NAMES for name in arrays if name.strip().casefold() == usual]
    numbered = _numbered(table.columns)
    if called or len(arrays) == 1:
        return [(called or arrays)[0]]
    if not arrays and numbered:
        return numbered
    if arrays:
        problem = f"several columns hold arrays of numbers ({', '.join(map(repr, arrays))})"
    else:
        problem = f"none of its columns ({columns_listed(table.columns)}) holds arrays of numbers"
    raise FeatureTableError(
        f"vector_column: dataset {table.name}: {problem}. Name the column with the feature vectors, as vision-extract "
        "writes them, or connect another dataset."
    )


def _numbered(columns: Sequence[str]) -> list[str]:
    """Return the columns of the largest family such as feature_0001, feature_0002, by number; at least two."""
    families: dict[str, list[tuple[int, str]]] = {}
    for name in columns:
        if found := _NUMBERED.fullmatch(name):
            families.setdefault(found[1], []).append((int(found[2]), name))
    largest = max(families.values(), key=len, default=[])
    return [name for _, name in sorted(largest)] if len(largest) > 1 else []


def _path_column(table: Table, given: str, taken: Sequence[str], *, needed: bool) -> str:
    if given:
        _require(table, given, "path_column")
        return given
    for usual in PATH_NAMES:
        for name in table.columns:
            if name.strip().casefold() == usual and name not in taken:
                return name
    if not needed:
        return ""
    raise FeatureTableError(
        f"path_column: dataset {table.name} has no column called {', '.join(PATH_NAMES[:3])} or the like; it has "
        f"{columns_listed(table.columns)}. Name the column with the paths of the pictures."
    )


def _others(table: Table, chosen: Sequence[str] | None, taken: set[str]) -> list[str]:
    if chosen is None:
        return [name for name in table.columns if name not in taken]
    for name in chosen:
        _require(table, name, "columns")
    return list(dict.fromkeys(chosen))


def _require(table: Table, name: str, parameter: str) -> None:
    if name not in table.columns:
        raise FeatureTableError(
            f"{parameter}: dataset {table.name} has no column {name!r}; it has {columns_listed(table.columns)}."
            + did_you_mean(name, table.columns)
        )


def _vector_reader(sources: Sequence[str]) -> Callable[[Mapping[str, Any]], np.ndarray | None]:
    """Return the function from a row to its vector, float32 (d,), or None where it has none."""
    if len(sources) == 1:
        name = sources[0]
        return lambda row: _as_vector(row.get(name))
    numbers = itemgetter(*sources)
    return lambda row: _as_vector(numbers(row))


def _as_vector(cell: Any) -> np.ndarray | None:
    """Return a cell that holds an array of numbers as float32 (d,); None for any other cell."""
    if isinstance(cell, str):
        if not cell.lstrip().startswith("["):
            return None
        cell = _parsed(cell)
    if not isinstance(cell, list | tuple | np.ndarray) or not len(cell):
        return None
    try:
        values = np.asarray(cell, np.float64)
    except (TypeError, ValueError):
        return None
    with np.errstate(over="ignore"):
        return values.astype(np.float32) if values.ndim == 1 else None


def _parsed(text: str) -> Any:
    """Return what JSON text holds, None when it is none; the quick reader knows no NaN and no Infinity."""
    try:
        return orjson.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _reason(row: Mapping[str, Any], vector: np.ndarray | None, path: str, *, needs_path: bool) -> str:
    """Return why a row cannot be used, or "" when it can."""
    if vector is None:
        return label_text(row.get("reason")) or NO_VECTOR
    if not np.isfinite(vector).all():
        return NOT_FINITE
    return "no_path" if needs_path and not path else ""


def _report(name: str, usable: int, rejected: Sequence[Rejected]) -> None:
    if not rejected:
        return
    counts = ", ".join(f"{reason} {count}" for reason, count in Counter(row.reason for row in rejected).most_common())
    if not usable:
        raise FeatureTableError(
            f"Dataset {name} has {counted(len(rejected), 'row')}, none with a usable vector ({counts})."
        )
    log.warning("%s of %s without a usable vector: %s", counted(len(rejected), "row"), name, counts)


def passed_on(table: Table, taken: Sequence[str], names: Sequence[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield the name and storage type of each column of a dataset that an output repeats, under names not `taken`.

    Arrays are objects there: JSON as written, whatever they hold.
    """
    for name in table.columns if names is None else names:
        if name not in taken:
            kind = table.types.get(name, "string")
            yield name, "object" if kind == "array" else kind
