"""A series of sample pictures, drawn from a seed."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from sample_pictures import houses
from sample_pictures.characters import cartoon_character
from sample_pictures.errors import UserError
from sample_pictures.still_life import egg_or_not

SAMPLES = ("egg-or-not", "cartoon-characters", "photo-uploads", "house-prices")
"""What can be drawn: still lifes in two folders, or one folder with the character's name in each file name, or still
lifes under names that tell nothing, with a table, or houses with four photos each, with a table too."""

_BLOCK = 128
"""How many pictures the processes draw before these are yielded; a shorter series is drawn by this process alone."""


def draw(sample: str, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` pictures as (path with a leading slash, JPEG); the same seed gives the same bytes.

    Classes take turns, so they are balanced however many are drawn. Two seeds never use the same file name, so their
    pictures fit into one folder: seed 1 counts 0001, 0002 …, any other seed is put before six digits (seed 2: 2000001,
    2000002 …). Raises UserError for an unknown sample.
    """
    if sample not in SAMPLES:
        raise UserError(f"sample: {sample!r} is none of {', '.join(SAMPLES)}")
    series = [(sample, seed, index) for index in range(count)]
    if count < _BLOCK or _processors() == 1:
        yield from map(_drawn, series)
        return
    with ProcessPoolExecutor(_processors(), multiprocessing.get_context("spawn")) as processes:
        for start in range(0, count, _BLOCK):
            yield from processes.map(_drawn, series[start : start + _BLOCK], chunksize=8)


def _drawn(picture: tuple[str, int, int]) -> tuple[str, bytes]:
    sample, seed, index = picture
    rng = np.random.default_rng([SAMPLES.index(sample), seed, index])
    number = _number(seed, index)
    if sample == "house-prices":
        many = len(houses.VIEWS)
        return f"/house_{_number(seed, index // many)}_{houses.view(index)}.jpg", houses.photo(rng, seed, index)
    if sample == "photo-uploads":
        return f"/photo_{number}.jpg", egg_or_not(rng, index)[2]
    if sample == "egg-or-not":
        folder, stem, jpeg = egg_or_not(rng, index)
        return f"/{folder}/{stem}_{number}.jpg", jpeg
    name, jpeg = cartoon_character(rng, index)
    return f"/{name}_pic_{number}.jpg", jpeg


def _number(seed: int, index: int) -> str:
    """Return what tells the pictures of a series, and of two seeds, apart in file names."""
    return f"{index + 1:04d}" if seed == 1 else f"{seed}{index + 1:06d}"


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
