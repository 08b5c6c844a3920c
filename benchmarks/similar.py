"""Nearest neighbours of many feature vectors: the whole recipe, its memory, and whether it is exact.

python -m benchmarks.similar [--pictures 20000] [--numbers 1280]
"""

from __future__ import annotations

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from minihost.datasets.parquet_table import GROUP_WEIGHT

ROOT = Path(__file__).resolve().parents[1]
CHECKED = 200


def main() -> None:
    """Print seconds, memory (pages of files that are mapped included) and recall."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--numbers", type=int, default=1280)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vectors = write_features(folder / "features.parquet", given.pictures, given.numbers)
        command = ["run", "vision-similar", "--plugin", str(ROOT), "-i", "feature_dataset=features.parquet"]
        started = time.perf_counter()
        command = [sys.executable, "-m", "minihost", *command, "-o", "neighbour_dataset=near.csv"]
        subprocess.run(command, check=True, cwd=folder)  # noqa: S603
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = f"{seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of CPU time, {used.ru_maxrss / 1024:.0f} MB"
        print(f"{given.pictures} x {given.numbers}: {spent}, recall {recall(vectors, folder)}")


def write_features(path: Path, pictures: int, numbers: int) -> np.ndarray:
    """Write a dataset like that of vision-extract; return its vectors, clustered and not negative, float32."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(1)
    centres = random.standard_normal((100, numbers), np.float32)
    vectors = centres[random.integers(100, size=pictures)] + random.standard_normal((pictures, numbers), np.float32)
    vectors = np.maximum(vectors, 0)
    rows = pa.ListArray.from_arrays(
        pa.array(np.arange(0, vectors.size + 1, numbers), pa.int32()), pa.array(vectors.ravel().astype(np.float64))
    )
    table = pa.table({"images": [f"/{row:06}.jpg" for row in range(pictures)], "prediction": rows})
    pq.write_table(table, path, row_group_size=max(1, GROUP_WEIGHT // numbers))
    return vectors


def recall(vectors: np.ndarray, folder: Path) -> float:
    """Return the fraction of the true neighbours of some pictures that were found, by brute force in float64."""
    with open(folder / "near.csv", encoding="utf-8", newline="") as stream:
        found: dict[str, list[str]] = {}
        for row in csv.DictReader(stream):
            found.setdefault(row["images"], []).append(row["neighbour"])
    mean = vectors.sum(axis=0, dtype=np.float64) / (len(vectors) + 10)
    units = vectors - mean
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    right = 0
    for row in np.linspace(0, len(vectors) - 1, CHECKED).astype(int):
        cosines = units @ units[row]
        cosines[row] = -2
        truth = {f"/{place:06}.jpg" for place in np.argsort(-cosines, kind="stable")[:10]}
        right += len(truth & set(found[f"/{row:06}.jpg"]))
    return right / (10 * CHECKED)


if __name__ == "__main__":
    main()
