"""vision-serve beside vision-classify: same answers, pictures per second, time of one picture, start, memory, a soak.

python -m benchmarks.serving [--photos FOLDER] [--count 1000] [--rounds 3] [--soak MINUTES]; writes benchmarks/serving.md
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.__main__ import NETWORKS, ROOT, Place
from benchmarks.photos import make_large_photos, make_photos
from benchmarks.processes import apart, measure, median
from benchmarks.random_models import make_model

DEFAULT = "default"
CLIENTS = 16
LONE_PICTURES = 200


@dataclass(frozen=True)
class Server:
    """A vision-serve that runs: its port, the process, and how long it took until it answered, in s."""

    port: int
    process: subprocess.Popen[str]
    ready: float

    def memory(self) -> float:
        """Return the resident memory of the process and those it started, in MB."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        numbers = [self.process.pid, *map(int, children)]
        return sum(_resident(number) for number in numbers)


def main() -> None:
    """Measure everything, print it and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder of JPEGs to take the photos from; otherwise drawn ones")
    parser.add_argument("--count", type=int, default=1000, help="how many photos (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured, in turns (3)")
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES", help="mixed load with two swaps (0)")
    parser.add_argument("--networks", nargs="*", default=[DEFAULT, *NETWORKS], help="which networks (all)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vision-bench-") as folder:
        place = Place(Path(folder), given.count, given.rounds)
        apart(make_photos, place.photos, given.count, given.photos)
        for name in given.networks:
            _make(place, name)
        lines = [line for name in given.networks for line in _network(place, name)]
        lines += _start(place, given.networks[0])
        if given.soak:
            lines += _soak(place, given.networks[0], 60 * given.soak, given.photos)
    page = "\n".join([*_head(given), *lines]) + "\n"
    print(page)
    (ROOT / "benchmarks" / "serving.md").write_text(page, encoding="utf-8")


def _head(given: argparse.Namespace) -> list[str]:
    return [
        "# vision-serve, measured",
        "",
        f"{os.cpu_count()} processors, the clients on the same; {given.count} photos of 470 x 400, medians of "
        f"{given.rounds} rounds in which server and recipe take turns. MobileNetV2 and ResNet50 have random weights. "
        "Written by `python -m benchmarks.serving`.",
        "",
    ]


def _make(place: Place, name: str) -> None:
    if name in NETWORKS:
        apart(make_model, place.model(name), name, NETWORKS[name])
        return
    from vision_recipes.default_model import open_default
    from vision_recipes.stores import LocalStore

    store = open_default().store
    assert isinstance(store, LocalStore)
    shutil.copytree(store.root, place.model(name))


def _network(place: Place, name: str) -> list[str]:
    """Return the lines on a network: answers, rate, time of one picture."""
    rates, recipe_rates, lone, engine = [], [], [], []
    answers: dict[str, Any] = {}
    with _server(place.model(name)) as server:
        _settle(server, place)
        for number in range(place.rounds):
            found = _load(server, place.photos, CLIENTS, place.count)
            rates.append(found["rate"])
            answers = found["answers"]
            recipe_rates.append(measure(place.recipe("vision-classify", name, place.photos)).rate)
            engine.append(_engine_milliseconds(place.model(name)))
            lone.append(median(_load(server, place.photos, 1, LONE_PICTURES)["milliseconds"]))
            _tell(
                f"{name}, round {number + 1}: {rates[-1]:.1f} of {recipe_rates[-1]:.1f} pictures/s, one {lone[-1]:.1f} ms"
            )
    differing, moved = _differences(answers, place.folder / f"{name}.csv")
    ratio = median(mine / theirs for mine, theirs in zip(rates, recipe_rates, strict=True))
    more = median(mine - theirs for mine, theirs in zip(lone, engine, strict=True))
    return [
        f"## {name}",
        "",
        f"- {len(answers)} photos posted by {CLIENTS} clients: {differing} labels differ from vision-classify, a "
        f"probability by at most {moved:.1g}",
        f"- pictures per second with {CLIENTS} clients: {median(rates):.1f}, vision-classify {median(recipe_rates):.1f}: "
        f"{ratio:.2f} times",
        f"- one client, one picture at a time: {median(lone):.1f} ms, the engine alone {median(engine):.1f} ms: "
        f"{more:.1f} ms more",
        "",
    ]


def _differences(answers: dict[str, Any], table: Path) -> tuple[int, float]:
    """Return how many labels differ from the recipe's table, and how far a probability does at most."""
    differing, moved = 0, 0.0
    with open(table, newline="", encoding="utf-8") as stream:
        for line in csv.DictReader(stream):
            _status, answer = answers[line["images"].lstrip("/")]
            mine, theirs = answer["rows"][0], json.loads(line["prediction"])
            differing += mine["label"] != line["label"] or list(mine["prediction"]) != list(theirs)
            moved = max([moved, *(abs(mine["prediction"].get(label, 0) - theirs[label]) for label in theirs)])
    return differing, moved


def _start(place: Place, name: str) -> list[str]:
    """Return the lines on start and memory."""
    ready, memory = [], []
    for _ in range(max(5, place.rounds)):
        with _server(place.model(name)) as server:
            ready.append(server.ready)
            _settle(server, place)
            memory.append(server.memory())
    return [
        "## Start and memory",
        "",
        f"- the {name} network answers {median(ready):.2f} s after the start of the process, and takes "
        f"{median(memory):.0f} MB after {CLIENTS} clients posted {place.count} photos",
        "",
    ]


def _soak(place: Place, name: str, seconds: float, source: Path | None) -> list[str]:
    """Return the lines on a mixed load at capacity, in which the model is replaced twice."""
    mixed, model = place.folder / "mixed", place.model(name)
    shutil.copytree(place.photos, mixed)
    apart(make_large_photos, mixed, 8, source)
    photo = next(iter(sorted(mixed.rglob("photo*")))).read_bytes()
    for number, content in enumerate((photo[: len(photo) // 2], photo[:-2], b"", b"no picture", photo * 40)):
        (mixed / f"hostile_{number}.jpg").write_bytes(content)
    statuses, memory, rates = Counter[str](), [], []
    config = model / "config.json"
    with _server(model) as server:
        _settle(server, place)
        ended = threading.Event()
        sampler = threading.Thread(target=_sample, args=(server, memory, ended))
        sampler.start()
        for part in range(3):
            found = _load(server, mixed, CLIENTS, 0, seconds / 3)
            statuses.update(found["statuses"])
            rates.append(found["rate"])
            if part < 2:
                written = config.with_suffix(".part")
                written.write_bytes(config.read_bytes() + b" ")
                threading.Timer(2.0, os.replace, (written, config)).start()
        ended.set()
        sampler.join()
        swaps = _swaps(server)
    third = len(memory) // 3
    return [
        "## Mixed load at capacity",
        "",
        f"- {seconds / 60:.0f} minutes, {CLIENTS} clients, photos, pictures of 12 megapixels and files that are none, "
        f"{swaps} swaps of the model: {sum(statuses.values())} requests, by status "
        f"{', '.join(f'{status}: {number}' for status, number in sorted(statuses.items()))} (422: files without a picture)",
        f"- resident memory, medians of the thirds: {median(memory[:third]):.0f}, {median(memory[third : 2 * third]):.0f}, "
        f"{median(memory[2 * third :]):.0f} MB; highest {max(memory):.0f} MB",
        f"- requests per second in the thirds: {', '.join(f'{rate:.1f}' for rate in rates)}",
        "",
    ]


def _sample(server: Server, memory: list[float], ended: threading.Event) -> None:
    while not ended.wait(2.0):
        memory.append(server.memory())


def _swaps(server: Server) -> int:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith("vision_serve_swaps_total{")))


@contextmanager
def _server(model: Path) -> Iterator[Server]:
    """Start vision-serve, and end it as a supervisor does."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "vision_recipes.serve", str(model), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        seconds = time.perf_counter() - started
        yield Server(int(line.split()[0].rpartition(":")[2]), process, seconds)
    finally:
        process.terminate()
        if process.wait(60):
            raise RuntimeError(f"vision-serve ended with {process.returncode}")


def _settle(server: Server, place: Place) -> None:
    """Wait until the server has chosen its batches, and let it warm up."""
    time.sleep(6.0)
    _load(server, place.photos, CLIENTS, place.count)


def _load(server: Server, folder: Path, clients: int, posts: int, seconds: float = 0.0) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.http_load", str(server.port), str(clients), str(posts), str(seconds)]
    done = subprocess.run([*command, str(folder)], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def _engine_milliseconds(model: Path) -> float:
    """Return how long the engine takes for one picture on all processors, without decoding or anything else."""
    code = "import sys; from benchmarks.serving import print_engine_time; print_engine_time(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(model)], stdout=subprocess.PIPE, check=True, text=True)
    return float(done.stdout.split()[-1])


def print_engine_time(folder: str) -> None:
    """Print the median milliseconds of a picture in the form for one alone."""
    from vision_recipes.inference.opening import open_engine
    from vision_recipes.model_folder import open_model
    from vision_recipes.settings import ComputeSettings
    from vision_recipes.stores import LocalStore

    model = open_model(LocalStore(folder))
    slot = open_engine(model, ComputeSettings(engine="openvino", use_gpu="false"), batch=1).slots[0]
    times = []
    for number in range(LONE_PICTURES):
        started = time.perf_counter()
        slot.pixels[0] = model.check.pictures[number % len(model.check.pictures)]
        slot.start()
        slot.collect()
        times.append(1000 * (time.perf_counter() - started))
    print(median(times))


def _resident(number: int) -> float:
    lines = Path(f"/proc/{number}/status").read_text().splitlines()
    return sum(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
