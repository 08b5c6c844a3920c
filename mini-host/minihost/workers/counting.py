"""How many shards a run has, and how many files are in each."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

PER_WORKER = 24
"""Shards for each worker: a host that is killed repeats one shard of each, which is 1/24 of the files at most."""

LEAST_FILES = 16
"""Files of a shard, where there are that many for each worker: a shard costs 2 ms of its own (15 on a crowded machine)
and ends with a batch that is not full, together about as much as one photo. So a host that is killed repeats 16 files
for each worker, where that is more than 1/24 of the folder: below 768 files with 2 workers, below 6144 with 16."""

LEAST_PER_WORKER = 3
"""Shards for each worker even of few files, so that workers who were ready late take fewer."""

MOST_FILES = 5000
MOST_SHARDS = 1000
UNKNOWN_WORKERS = 16
"""How many workers are reckoned with where nobody knows how many a place has."""


def shards_for(files: int, workers: int | None) -> int:
    """Return the number of shards for so many files and workers."""
    workers = workers or UNKNOWN_WORKERS
    wanted = max(PER_WORKER * workers, -(-files // MOST_FILES))
    fitting = max(files // LEAST_FILES, min(files, LEAST_PER_WORKER * workers))
    return max(1, min(wanted, fitting, max(MOST_SHARDS, workers)))


def sliced(rows: Iterable[Sequence[Any]], shards: int) -> list[list[Sequence[Any]]]:
    """Return the rows of a listing, path first, for each shard, by the rule in `minihost.plugins.worker_section`."""
    found: list[list[Sequence[Any]]] = [[] for _ in range(shards)]
    for row in rows:
        found[zlib.crc32(row[0].encode("utf-8", "surrogatepass")) % shards].append(row)
    return found
