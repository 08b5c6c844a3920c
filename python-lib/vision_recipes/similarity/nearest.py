"""Exact nearest neighbours by cosine similarity: blocks of all pairs, in memory that does not grow with the vectors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_recipes.dataset.mapped_arrays import new_array
from vision_recipes.similarity.restrictions import Restrictions

_ROWS, _BLOCK_BYTES, _PAIR_BYTES = 512, 32 << 20, 16 << 20
_SHRINKAGE = 10
_CROWD = 64
"""How many rows beyond those asked for may be equally similar, within rounding, before only the first are looked at."""


@dataclass(frozen=True)
class Neighbours:
    """The neighbours of the rows from `start` on: `rows` int64 and `similarities` float64, (block, most).

    The most similar comes first, of equally similar ones that of the smaller row. Where a picture has fewer neighbours,
    the rest of its `rows` is -1.
    """

    start: int
    rows: np.ndarray
    similarities: np.ndarray


def centre_of(tables: Sequence[np.ndarray]) -> np.ndarray:
    """Return what is subtracted from all vectors (n, d) of some tables before they are compared, float64 (d,).

    It is their mean, shrunk towards 0 as if there were ten more vectors of zeros: two vectors less their own mean would
    be opposites, however alike they are.
    """
    total = np.zeros(tables[0].shape[1])
    for vectors in tables:
        step = _step(vectors)
        for start in range(0, len(vectors), step):
            total += np.asarray(vectors[start : start + step], np.float64).sum(axis=0)
    return np.asarray(total / (sum(map(len, tables)) + _SHRINKAGE))


def unit_vectors(vectors: np.ndarray, centre: np.ndarray, path: Path) -> np.ndarray:
    """Return vectors (n, d) less the centre, at length 1, float32, in a file of their own.

    Raises OutputError when the disk has no space for them.
    """
    units, step = new_array(path, vectors.shape, "feature vectors at unit length"), _step(vectors)
    for start in range(0, len(vectors), step):
        block = np.asarray(vectors[start : start + step], np.float64) - centre
        lengths = np.linalg.norm(block, axis=1, keepdims=True)
        units[start : start + step] = block / np.where(lengths, lengths, 1)
    return units


def _step(vectors: np.ndarray) -> int:
    return max(1, _BLOCK_BYTES // max(1, 8 * vectors.shape[1]))


def nearest(
    queries: np.ndarray, searched: np.ndarray, most: int, restrictions: Restrictions, *, within: bool = False
) -> Iterator[Neighbours]:
    """Yield the `most` nearest neighbours of each query among the searched vectors, in blocks of queries.

    Both are unit vectors, float32 (n, d). `within`: they are the same array, and no row is its own neighbour. Products
    of blocks in float32 find the candidates, their similarity is computed again in float64, so that neither the size of
    the blocks nor the order of additions decides. Exact but for similarities that agree within rounding in float32.
    """
    for start in range(0, len(queries), _ROWS):
        block = queries[start : start + _ROWS]
        rows, columns = _candidates(block, start, searched, most, restrictions, within=within)
        yield _ranked(block, start, searched, most, (rows, columns))


def _candidates(
    block: np.ndarray, start: int, searched: np.ndarray, most: int, restrictions: Restrictions, *, within: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of places, in the block and in the searched vectors: the nearest neighbours and few others."""
    width = max(1, _BLOCK_BYTES // (4 * max(_ROWS, searched.shape[1])))
    margin = _rounding(searched.shape[1])
    floor = np.full(len(block), -np.inf, np.float32)
    rows, columns, values = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    for first in range(0, len(searched), width):
        cosines = block @ searched[first : first + width].T
        restrictions.exclude(cosines, start, first)
        if within:
            own = np.arange(len(block)) + start - first
            inside = np.flatnonzero((own >= 0) & (own < cosines.shape[1]))
            cosines[inside, own[inside]] = -np.inf
        if not first:
            floor = _least_of(cosines, most)
        some, places = np.nonzero(cosines >= np.maximum(floor - margin, -2)[:, None])
        rows, columns = np.concatenate([rows, some]), np.concatenate([columns, places + first])
        values = np.concatenate([values, cosines[some, places]])
        kept = _first(rows, -np.round(values / margin), columns, most + _CROWD)
        rows, columns, values = rows[kept], columns[kept], values[kept]
        best = _first(rows, -values, columns, most)
        last = best[np.flatnonzero(_places(rows[best]) == most - 1)]
        floor[rows[last]] = values[last]
        kept = values >= floor[rows] - margin
        rows, columns, values = rows[kept], columns[kept], values[kept]
    return rows, columns


def _least_of(cosines: np.ndarray, most: int) -> np.ndarray:
    """Return the least of the `most` largest values of each row, -inf where there are fewer."""
    place = cosines.shape[1] - most
    if place < 0:
        return np.full(len(cosines), -np.inf, np.float32)
    return np.asarray(np.partition(cosines, place, axis=1)[:, place])


def _ranked(
    block: np.ndarray, start: int, searched: np.ndarray, most: int, pairs: tuple[np.ndarray, np.ndarray]
) -> Neighbours:
    rows, columns = pairs
    exact = np.empty(len(rows))
    step = max(1, _PAIR_BYTES // (8 * max(1, searched.shape[1])))
    for first in range(0, len(rows), step):
        some = slice(first, first + step)
        exact[some] = cosines_of(block[rows[some]], searched[columns[some]])
    order = _first(rows, -exact.round(12), columns, most)
    rows, columns, exact = rows[order], columns[order], exact[order]
    places = _places(rows)
    found = np.full((len(block), most), -1, np.int64)
    similarities = np.full(found.shape, np.nan)
    found[rows, places], similarities[rows, places] = columns, exact
    return Neighbours(start, found, similarities)


def cosines_of(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the cosines of unit vectors, pair by pair, float64 (n,), computed in float64 and at most 1."""
    one, other = ones.astype(np.float64), others.astype(np.float64)
    lengths = np.einsum("pd,pd->p", one, one) * np.einsum("pd,pd->p", other, other)
    products = np.einsum("pd,pd->p", one, other) / np.sqrt(np.where(lengths, lengths, 1))
    return np.asarray(np.clip(products, -1, 1))


def _first(rows: np.ndarray, keys: np.ndarray, columns: np.ndarray, most: int) -> np.ndarray:
    """Return the places of the `most` smallest keys of each row, in order of row, key and column."""
    order = np.lexsort((columns, keys, rows))
    return np.asarray(order[_places(rows[order]) < most])


def _places(rows: np.ndarray) -> np.ndarray:
    """Return the place of each entry among those of its row; `rows` are sorted."""
    if not len(rows):
        return np.empty(0, np.int64)
    starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
    return np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))


def _rounding(length: int) -> float:
    """Return how far apart two similarities may be that additions in float32 take for the same."""
    return 4 * math.sqrt(length) * 2.0**-24 + 1e-7
