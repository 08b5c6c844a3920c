"""Classifying a folder behind a local S3 server that answers late, against the same folder on the local disk.

python -m benchmarks.object_storage PHOTOS MODEL [--delay 0.05] [--rounds 5] [--cases photos tiny large failing s3fs]
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from benchmarks.photos import make_large_photos
from benchmarks.processes import Measured, alternate, median

ROOT = Path(__file__).resolve().parents[1]
CASES = {
    "photos": "as they are",
    "tiny": "2000 PNGs of 32 x 32",
    "large": "60 JPEGs of 12 megapixels",
    "failing": "as they are; 1 % of the requests are answered with 503",
    "s3fs": "as they are, read by s3fs alone",
}


def main() -> None:
    """Print a table row for every case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    given = parser.parse_args()
    print("| pictures | local | S3 | rate, S3 / local | CPU time, local / S3 | memory, MB, local, S3 |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for case in given.cases:
            measure_case(case, Path(name), given)


def measure_case(case: str, work: Path, given: argparse.Namespace) -> None:
    """Measure local disk and S3 in turn, and print their medians; the tables must be the same."""
    pictures = pictures_of(case, work, given.photos)
    failing = 0.01 if case == "failing" else 0.0
    with server(given.delay, failing, pics=pictures, models=given.model.resolve()) as environment:
        os.environ.update(environment)
        if case == "s3fs":
            (work / "hidden").mkdir()
            (work / "hidden" / "obstore.py").write_text("raise ImportError\n")
            os.environ["PYTHONPATH"] = f"{work / 'hidden'}:{os.environ.get('PYTHONPATH', '')}"
        places = {"local": (str(pictures), str(given.model)), "S3": ("s3://pics", "s3://models")}
        commands = {name: command(work, name, *place) for name, place in places.items()}
        found = alternate(commands, given.rounds, lambda line: print(line, file=sys.stderr))
    if (work / "local.csv").read_bytes() != (work / "S3.csv").read_bytes():
        raise RuntimeError("the tables differ")
    print(row(CASES[case], found["local"], found["S3"]), flush=True)


def pictures_of(case: str, work: Path, photos: Path) -> Path:
    """Return the folder of a case, made when it is not that of the photos."""
    target = work / case
    if case == "tiny":
        target.mkdir()
        files = sorted(photos.iterdir())
        for number in range(2000):
            with Image.open(files[number % len(files)]) as image:
                image.convert("RGB").resize((32, 32)).save(target / f"{number:05}.png")
    elif case == "large":
        make_large_photos(target, 60, photos)
    else:
        return photos.resolve()
    return target


def command(work: Path, name: str, pictures: str, model: str) -> list[str]:
    """Return the whole command."""
    run = [sys.executable, "-m", "minihost", "run", "vision-classify", "--plugin", str(ROOT), "--project", str(work)]
    inputs = ["-i", f"image_folder={pictures}", "-i", f"model_folder={model}"]
    return [*run, *inputs, "-o", f"scored_dataset={work / name}.csv", "--overwrite"]


@contextmanager
def server(delay: float, failing: float, **folders: Path) -> Iterator[dict[str, str]]:
    """Serve folders as buckets; yield the environment variables that lead there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    buckets = [f"{name}={folder}" for name, folder in folders.items()]
    options = [str(port), "--delay", str(delay), "--failing", str(failing)]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.s3_server", *options, *buckets], cwd=ROOT)
    try:
        for _ in range(200):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        keys = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_DEFAULT_REGION": "us-east-1"}
        yield {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_EC2_METADATA_DISABLED": "true", **keys}
    finally:
        process.terminate()
        process.wait()


def row(what: str, local: list[Measured], remote: list[Measured]) -> str:
    """Return the medians as a row of a table."""
    seconds = [median(one.seconds for one in runs) for runs in (local, remote)]
    rates = [median(one.rate for one in runs) for runs in (local, remote)]
    cpu = [median(one.cpu for one in runs) for runs in (local, remote)]
    memory = [median(one.memory for one in runs) for runs in (local, remote)]
    ratio = median(far.rate / near.rate for near, far in zip(local, remote, strict=True))
    cells = [
        what,
        *(f"{rate:.0f}/s, {wall:.1f} s" for rate, wall in zip(rates, seconds, strict=True)),
        f"{ratio:.2f}",
        f"{cpu[0]:.1f} s / {cpu[1]:.1f} s = {cpu[0] / cpu[1]:.2f}",
        f"{memory[0]:.0f}, {memory[1]:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
