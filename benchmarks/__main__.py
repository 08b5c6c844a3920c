"""This project beside plain Keras and the bare engine, on the same photos, in one run; writes benchmarks/results.md.

python -m benchmarks [--photos FOLDER] [--count 1000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.photos import make_large_photos, make_photos
from benchmarks.processes import Measured, alternate, apart, measure, median
from benchmarks.random_models import make_model
from vision_recipes.model_folder import open_model
from vision_recipes.stores import LocalStore

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = {"ResNet50": "caffe", "MobileNetV2": "tf"}
MORE = 10


@dataclass(frozen=True)
class Place:
    """Where a run keeps its photos, models and outputs; `count` photos, `rounds` of each command."""

    folder: Path
    count: int
    rounds: int

    @property
    def photos(self) -> Path:
        """The photos, in a sub-folder x."""
        return self.folder / "photos"

    def model(self, name: str) -> Path:
        """The model folder of a network."""
        return self.folder / name

    def recipe(self, recipe: str, name: str, photos: Path, *options: str) -> list[str]:
        """Return the command that runs a recipe through the mini-host on the processor."""
        role = "scored_dataset=" if recipe == "vision-classify" else "feature_dataset="
        output = self.folder / (f"{name}.csv" if recipe == "vision-classify" else f"{name}.parquet")
        command = [
            sys.executable,
            "-m",
            "minihost",
            "run",
            recipe,
            "--plugin",
            str(ROOT),
            "--project",
            str(self.folder),
        ]
        command += ["-i", f"image_folder={photos}", "-i", f"model_folder={self.model(name)}", "-o", f"{role}{output}"]
        return [*command, "-p", "compute.use_gpu=false", *(word for option in options for word in ("-p", option))]


def main() -> None:
    """Measure everything, print it and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--photos", type=Path, help="a folder of JPEGs to take the photos from; otherwise they are drawn"
    )
    parser.add_argument("--count", type=int, default=1000, help="how many photos (1000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each command runs (3)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vision-bench-") as folder:
        place = Place(Path(folder), given.count, given.rounds)
        _tell(f"making {given.count} photos and {len(NETWORKS)} models with random weights")
        apart(make_photos, place.photos, given.count, given.photos)
        apart(make_photos, place.folder / "one", 1, given.photos)
        apart(make_large_photos, place.folder / "large", max(4, given.count // 25), given.photos)
        for name, scaling in NETWORKS.items():
            apart(make_model, place.model(name), name, scaling)
        page = _page(place, given.photos)
    print(page)
    (ROOT / "benchmarks" / "results.md").write_text(page, encoding="utf-8")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _native_bfloat16() -> bool:
    import openvino as ov

    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _page(place: Place, source: Path | None) -> str:
    import openvino as ov

    processor = ov.Core().get_property("CPU", "FULL_DEVICE_NAME")
    lower = _native_bfloat16()
    lines = [
        "# Classify and extract, measured",
        "",
        f"{processor}, {len(_cpus())} processors, {platform.system()}, Python {platform.python_version()}; bfloat16 in "
        f"the processor: {'yes' if lower else 'no, so `auto` computes in float32'}. {place.count} photos of 470 x 400 "
        f"({'from a folder of photographs' if source else 'drawn'}), networks with random weights, medians of "
        f"{place.rounds} rounds in which the commands take turns. Written by `make bench`.",
        "",
    ]
    for name in NETWORKS:
        lines += _network(place, name, lower=lower)
    lines += _cold(place) + _growth(place) + _large(place)
    return "\n".join(lines) + "\n"


def _cpus() -> set[int]:
    import os

    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


def _network(place: Place, name: str, *, lower: bool) -> list[str]:
    _tell(name)
    xml = place.model(name) / open_model(LocalStore(place.model(name))).config.files.xml.name
    bare = [sys.executable, "-m", "benchmarks.engine_limit", str(place.photos), str(_beside(xml, place))]
    commands = {
        "plain Keras": [sys.executable, "-m", "benchmarks.keras_plain", str(place.photos), name],
        "vision-classify, float32": place.recipe("vision-classify", name, place.photos, "compute.precision=float32"),
        "bare engine, float32": [*bare, "f32"],
        "vision-classify, auto": place.recipe("vision-classify", name, place.photos),
        "bare engine, bfloat16": [*bare, "bf16"],
        "vision-extract, auto": place.recipe("vision-extract", name, place.photos),
    }
    if not lower:
        del commands["bare engine, bfloat16"]
    found = alternate(commands, place.rounds, _tell)
    whole = {key: median(run.seconds for run in runs) for key, runs in found.items()}
    rates = {key: median(run.rate for run in runs) for key, runs in found.items()}
    limit = "bare engine, bfloat16" if lower else "bare engine, float32"
    faster = _ratio(whole, "plain Keras", "vision-classify, auto")
    longer = _ratio(whole, "vision-extract, auto", "vision-classify, auto")
    return [
        f"## {name}",
        "",
        *_table(found, place.count),
        "",
        f"- whole command against plain Keras: {faster} times faster with `auto`, "
        f"{_ratio(whole, 'plain Keras', 'vision-classify, float32')} with `float32`",
        f"- pictures per second against the bare engine: {_ratio(rates, 'vision-classify, auto', limit)} with `auto`, "
        f"{_ratio(rates, 'vision-classify, float32', 'bare engine, float32')} with `float32`",
        f"- extract to Parquet takes {longer} times as long as classify",
        "",
    ]


def _beside(xml: Path, place: Place) -> Path:
    """Return a copy of the IR whose .bin has the name that OpenVINO looks for."""
    copy = place.folder / "bare" / xml.parent.name / "model.xml"
    copy.parent.mkdir(parents=True, exist_ok=True)
    open_model(LocalStore(xml.parent)).ir(copy.parent)
    return copy


def _table(found: dict[str, list[Measured]], count: int) -> list[str]:
    rows = [
        "| command | pictures/s while running | whole process, s | pictures/s, whole | processor s | peak memory, MB |"
    ]
    rows.append("|---|---|---|---|---|---|")
    for name, runs in found.items():
        seconds, rate = median(run.seconds for run in runs), median(run.rate for run in runs)
        cpu, memory = median(run.cpu for run in runs), median(run.memory for run in runs)
        rows.append(f"| {name} | {rate:.1f} | {seconds:.1f} | {count / seconds:.1f} | {cpu:.1f} | {memory:.0f} |")
    return rows


def _ratio(values: dict[str, float], above: str, below: str) -> str:
    return f"{values[above] / values[below]:.2f}"


def _cold(place: Place) -> list[str]:
    _tell("one picture")
    one = place.folder / "one"
    commands = {f"vision-classify, {name}": place.recipe("vision-classify", name, one) for name in NETWORKS}
    commands |= {
        f"plain Keras, {name}": [sys.executable, "-m", "benchmarks.keras_plain", str(one), name] for name in NETWORKS
    }
    found = alternate(commands, max(3, place.rounds), _tell)
    rows = [f"| {name} | {median(run.seconds for run in runs):.2f} |" for name, runs in found.items()]
    return ["## One picture, whole command", "", "| command | s |", "|---|---|", *rows, ""]


def _growth(place: Place) -> list[str]:
    _tell(f"{MORE} times as many pictures")
    linked = place.folder / "linked"
    linked.mkdir()
    for photo in sorted((place.photos / "x").iterdir()):
        for copy in range(MORE):
            (linked / f"{copy}_{photo.name}").hardlink_to(photo)
    small = [measure(place.recipe("vision-classify", "MobileNetV2", place.photos)) for _ in range(place.rounds)]
    large = [measure(place.recipe("vision-classify", "MobileNetV2", linked))]
    memory = median(run.memory for run in large) / median(run.memory for run in small)
    per_picture = median(1 / run.rate for run in large) / median(1 / run.rate for run in small)
    return [
        f"## {place.count} and {MORE * place.count} pictures",
        "",
        f"- peak memory: {memory:.2f} times ({median(run.memory for run in large):.0f} MB)",
        f"- time per picture: {per_picture:.2f} times",
        "",
    ]


def _large(place: Place) -> list[str]:
    _tell("12 megapixels")
    folder = place.folder / "large"
    decode = [sys.executable, "-m", "benchmarks.decoding", str(folder)]
    found = alternate(
        {"as the recipes do": [*decode, "reduced"], "at full size": [*decode, "full"]}, place.rounds, _tell
    )
    rates = {name: median(run.rate for run in runs) for name, runs in found.items()}
    reduced, full = rates["as the recipes do"], rates["at full size"]
    return [
        "## JPEGs of 12 megapixels",
        "",
        f"- {reduced:.1f} pictures/s as the recipes decode them, {full:.1f} at full size: {reduced / full:.2f} times",
    ]


if __name__ == "__main__":
    main()
