"""The training pictures of the starter network, drawn once into an array on disk."""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from starter_subjects import SUBJECTS, picture

HELD_OUT_SEED = 1_000_003


def draw_album(path: Path, per_class: int, *, seed: int = 1, processes: int = 2) -> np.ndarray:
    """Return uint8 pictures (per_class, classes, 96, 96, 3), drawn into `path` unless they are there already."""
    if not path.exists():
        part = path.with_suffix(".part")
        album = np.lib.format.open_memmap(part, "w+", np.uint8, (per_class, len(SUBJECTS), 96, 96, 3))
        with ProcessPoolExecutor(processes) as workers:
            for number, row in enumerate(workers.map(_row, range(per_class), [seed] * per_class, chunksize=4)):
                album[number] = row
        album.flush()
        part.rename(path)
    return np.load(path, mmap_mode="r")


def _row(number: int, seed: int) -> np.ndarray:
    return np.stack([picture(subject, seed, number) for subject in SUBJECTS])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--per-class", type=int, default=240)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(draw_album(options.folder / "train.npy", options.per_class).shape)
    print(draw_album(options.folder / "held_out.npy", 10, seed=HELD_OUT_SEED).shape)
