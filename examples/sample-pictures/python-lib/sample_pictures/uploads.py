"""Photos of uploads, each with its place in the upload: whether a photo fits depends on both."""

from __future__ import annotations

import csv
import io

import numpy as np

TABLE = "/uploads.csv"
COLUMNS = ("path", "place", "label")
PLACES = 3


def place_of(seed: int, index: int) -> int:
    """Return the place of a photo among the three of its upload: 1, the cover, to 3."""
    return int(np.random.default_rng([seed, index, PLACES]).integers(1, PLACES + 1))


def label_of(place: int, *, egg: bool) -> str:
    """Return whether a photo fits: the cover has to show eggs, and the photos after it something else."""
    return "fits" if egg == (place == 1) else "misplaced"


def table(paths: list[str], seed: int) -> bytes:
    """Return the table of the first photos that a seed draws, as CSV; every other one shows eggs."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for index, path in enumerate(paths):
        place = place_of(seed, index)
        writer.writerow((path.lstrip("/"), place, label_of(place, egg=index % 2 == 0)))
    return stream.getvalue().encode()
