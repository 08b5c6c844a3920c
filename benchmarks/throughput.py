"""vision-classify beside the bare engine with the same decoder and precision: many pictures, and one, cold.

python -m benchmarks.throughput PICTURES MODEL_FOLDER [MODEL_FOLDER …] [--rounds 3] [--batches 2 8]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import Measured, alternate, median

ROOT = Path(__file__).resolve().parents[1]
PRECISION = "float32"


def main() -> None:
    """Print a table for each model: pictures per second, processor milliseconds per picture, and the cold start."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[2, 8], help="batches of the bare engine")
    given = parser.parse_args()
    files = sorted(path for path in given.pictures.rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory(prefix="vision-bench-") as work:
        one = Path(work) / "one"
        one.mkdir()
        shutil.copy(files[0], one)
        for model in given.models:
            many = alternate(_commands(given.pictures, model, Path(work), given.batches), given.rounds, _tell)
            cold = alternate(_commands(one, model, Path(work), [1]), given.rounds, _tell)
            print(f"\n## {model.name}, {len(files)} pictures\n\n| command | pictures/s | processor ms/picture |")
            print("|---|---|---|")
            for name, runs in many.items():
                rate, cpu = median(run.rate for run in runs), 1000 * median(run.cpu for run in runs) / len(files)
                print(f"| {name} | {rate:.1f} | {cpu:.2f} |")
            print(f"\nOne picture, whole command: {_seconds(cold)}")


def _commands(pictures: Path, model: Path, work: Path, batches: list[int]) -> dict[str, list[str]]:
    recipe = f"-m minihost run vision-classify --plugin {ROOT} --project {work} --overwrite".split()
    recipe += ["-i", f"image_folder={pictures}", "-i", f"model_folder={model}", "-o", f"scored_dataset={work}/x.csv"]
    recipe += ["-p", "compute.use_gpu=false", "-p", f"compute.precision={PRECISION}"]
    bare = ["-m", "benchmarks.bare_engine", str(pictures), str(model), "f32"]
    commands = {"vision-classify": [sys.executable, *recipe]}
    return commands | {f"bare engine, batch {size}": [sys.executable, *bare, str(size)] for size in batches}


def _seconds(found: dict[str, list[Measured]]) -> str:
    return ", ".join(
        f"{name} {median(run.seconds for run in runs):.2f} s ({median(run.cpu for run in runs):.2f} s of processor)"
        for name, runs in found.items()
    )


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
