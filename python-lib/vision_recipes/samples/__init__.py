"""Sample pictures, drawn here and now from numbers: everything can be tried offline, without anybody's photos."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from vision_recipes.errors import SettingsError
from vision_recipes.processors import processors

SAMPLES = ("egg-or-not", "cartoon-characters")
"""What can be drawn: two folders of still lifes, or one folder with the character's name in each file name."""


_BLOCK = 128
"""Pictures are handed on in such numbers; fewer are drawn by this process alone."""


def draw(sample: str, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` pictures as (path with a leading slash, JPEG); the same seed gives the same bytes.

    Classes take turns, so they are balanced however many are drawn. The same picture numbers of two seeds show other
    pictures and never have the same file name, so both fit into one folder: seed 1 counts 0001, 0002 …, any other seed
    stands in front of six digits (seed 2: 2000001, 2000002 …).
    """
    if sample not in SAMPLES:
        raise SettingsError(f"sample: {sample!r} is none of {', '.join(SAMPLES)}")
    orders = [(sample, seed, index) for index in range(count)]
    if count < _BLOCK or processors() == 1:
        yield from map(_drawn, orders)
        return
    with ProcessPoolExecutor(processors(), multiprocessing.get_context("spawn")) as others:
        for start in range(0, count, _BLOCK):
            yield from others.map(_drawn, orders[start : start + _BLOCK], chunksize=8)


def _drawn(order: tuple[str, int, int]) -> tuple[str, bytes]:
    from vision_recipes.samples.characters import cartoon_character
    from vision_recipes.samples.still_life import egg_or_not

    sample, seed, index = order
    rng = np.random.default_rng([SAMPLES.index(sample), seed, index])
    number = f"{index + 1:04d}" if seed == 1 else f"{seed}{index + 1:06d}"
    if sample == "egg-or-not":
        folder, stem, jpeg = egg_or_not(rng, index)
        return f"/{folder}/{stem}_{number}.jpg", jpeg
    name, jpeg = cartoon_character(rng, index)
    return f"/{name}_pic_{number}.jpg", jpeg
