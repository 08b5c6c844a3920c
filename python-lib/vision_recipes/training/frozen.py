"""What the frozen part of a network makes of pictures: computed once, kept on the disk, looked up for every batch."""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.training.shots import Album, Batch

log = logging.getLogger("vision_recipes")

_BLOCK = 64
_LARGEST = 32 << 30

Arrays = tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray]
"""A batch as the trained part takes it: its inputs, the one-hot classes, the weights."""

Source = Callable[[np.ndarray, int], Arrays]
"""Gives the arrays of the pictures of some numbers in an album; copies vary from one turn to the next."""


def fits(trunk: Any, albums: Sequence[Album], workdir: Path) -> bool:
    """Return whether the frozen part's results fit on the disk, with room to spare."""
    values = sum(math.prod(side or 1 for side in output.shape[1:]) for output in trunk.outputs)
    needed = 4 * values * sum(len(album) for album in albums)
    return needed < min(_LARGEST, shutil.disk_usage(workdir).free // 2)


def fresh(album: Album) -> Source:
    """Return the source for a network that is trained from its first layer: pixels, made anew each time."""
    return lambda rows, turn: _arrays(batch := album.batch(rows, turn), (batch.pixels,))


def computed(album: Album, trunk: Any, batch_size: int, path: Path) -> Source:
    """Return the source that the trunk went over once; augmented copies are then the same in each turn."""
    kept: list[np.ndarray] = []
    rest: list[Batch] = []
    started = time.perf_counter()
    for start in range(0, len(album), _BLOCK):
        rows = np.arange(start, min(len(album), start + _BLOCK))
        batch = album.batch(rows)
        outputs = trunk.predict(batch.pixels, batch_size=batch_size, verbose=0)
        for place, values in enumerate(outputs if isinstance(outputs, list | tuple) else [outputs]):
            if start == 0:
                shape = (len(album), *values.shape[1:])
                kept.append(np.lib.format.open_memmap(f"{path}{place}.npy", "w+", np.float32, shape))
            kept[place][rows] = values
        rest.append(Batch(np.empty(0), batch.extra, batch.wanted, batch.weights))
    log.info("the frozen part went over %d pictures once, in %.1f s", len(album), time.perf_counter() - started)
    extra = [part.extra for part in rest if part.extra is not None]
    columns = np.concatenate(extra) if extra else None
    wanted, weights = (np.concatenate([getattr(part, name) for part in rest]) for name in ("wanted", "weights"))

    def look_up(rows: np.ndarray, turn: int) -> Arrays:
        found = Batch(np.empty(0), None if columns is None else columns[rows], wanted[rows], weights[rows])
        return _arrays(found, tuple(np.asarray(values[rows]) for values in kept))

    return look_up


def _arrays(batch: Batch, inputs: tuple[np.ndarray, ...]) -> Arrays:
    return (inputs if batch.extra is None else (*inputs, batch.extra)), batch.wanted, batch.weights
