"""Int8 beside float32 and bfloat16: whole commands on the same photos, and labels of models retrained on int8.

    python -m benchmarks.int8 --photos FOLDER [--labelled FOLDER LABELS.csv] [--rounds 5] [--report benchmarks/int8.md]

The default network has its published weights, ResNet50 random ones. `--labelled` is a folder with a table that has the
columns path and label: for each of five seeds, four fifths of its pictures train a last layer and calibrate int8, and
the others are compared.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.processes import Measured, alternate, apart, median
from benchmarks.random_models import make_model
from vision_recipes.classify import classify
from vision_recipes.macro_settings import QuantizeSettings
from vision_recipes.quantize_model import quantize_model
from vision_recipes.retrain import retrain
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import RetrainSettings

ROOT = Path(__file__).resolve().parents[1]
RANDOM = {"ResNet50": "caffe"}
SEEDS = range(1, 6)
PAGE = """# Int8 beside float32 and bfloat16

{processor}, {cpus} processors; it has {instructions}. Written by `python -m benchmarks.int8`.

## Speed

`vision-classify` from its start to its table on {count} photos, medians of {rounds} rounds in which the commands take
turns. `auto` is what the recipe does on this processor without int8. The default network has its published weights,
the others random ones. Seconds of the processor are in parentheses.

| network | float32 | auto | int8 | int8 over float32 | int8 over auto |
|---|---|---|---|---|---|
{speed}
{labels}"""
LABELS = """
## Labels

{folder}: {count} pictures of {classes} classes. For each of {seeds} seeds another fifth is held out, {held_out} answers
in all; int8 is calibrated on the others. "Refitted" is `vision-retrain` on the default network in int8, "as it was" the
retrained float32 model quantised with its last layer left alone.

| | same best label as in float32 | accuracy | by seed |
|---|---|---|---|
{rows}
"""


def main() -> None:
    """Measure, print the page and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.int8", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="a folder of photos to classify")
    parser.add_argument("--labelled", type=Path, nargs=2, metavar=("FOLDER", "LABELS"))
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs (5)")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vision-int8-") as folder:
        labels = _labels(*given.labelled, Path(folder)) if given.labelled else ""
        speed = [_speed(name, given.photos, Path(folder), given.rounds) for name in ("", *RANDOM)]
    count = sum(1 for path in given.photos.rglob("*") if path.is_file())
    processor, instructions = _processor()
    page = PAGE.format(
        processor=processor,
        instructions=instructions,
        cpus=len(os.sched_getaffinity(0)),
        count=count,
        rounds=given.rounds,
        speed="\n".join(speed),
        labels=labels,
    )
    print(page)
    if given.report:
        given.report.write_text(page, encoding="utf-8")


def _processor() -> tuple[str, str]:
    import openvino as ov

    flags = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")), "")
    known = [
        name for name in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16") if name in flags
    ]
    return str(ov.Core().get_property("CPU", "FULL_DEVICE_NAME")), ", ".join(known) or "none of the known instructions"


def _quantise(model: Path | None, pictures: Path, output: Path, minimum: float) -> None:
    settings = QuantizeSettings(
        output_managed_folder=str(output),
        image_folder=str(pictures),
        minimum_agreement=minimum,
        validation_pictures=100,
    )
    folders = LocalStore(model) if model else None, LocalStore(pictures), LocalStore(output)
    quantize_model(settings, folders, None, lambda done, total: None)


def _speed(name: str, photos: Path, place: Path, rounds: int) -> str:
    model, int8 = place / name if name else None, place / f"{name or 'default'} int8"
    if model:
        apart(make_model, model, name, RANDOM[name])
    _quantise(model, photos, int8, 0.0)
    commands = {
        precision: _command(photos, folder, precision, place)
        for folder, precision in ((model, "float32"), (model, "auto"), (int8, "int8"))
    }
    found = alternate(commands, rounds, lambda line: print(line, file=sys.stderr, flush=True))
    seconds = [(median(run.seconds for run in runs), median(run.cpu for run in runs)) for runs in found.values()]
    cells = [name or "default", *(f"{whole:.1f} s ({cpu:.1f})" for whole, cpu in seconds)]
    cells += [_ratio(found, "float32"), _ratio(found, "auto")]
    return f"| {' | '.join(cells)} |"


def _ratio(found: dict[str, list[Measured]], other: str) -> str:
    """Return the median of the ratios of the rounds, and the lowest and the highest of them."""
    ratios = [run.seconds / int8.seconds for run, int8 in zip(found[other], found["int8"], strict=True)]
    return f"**{median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})"


def _command(photos: Path, model: Path | None, precision: str, place: Path) -> list[str]:
    words = [sys.executable, "-m", "minihost", "run", "vision-classify", "--plugin", str(ROOT), "--project", str(place)]
    words += ["-i", f"image_folder={photos}", "-o", f"scored_dataset={place / 'scored.csv'}"]
    words += ["-i", f"model_folder={model}"] if model else []
    return [*words, "-p", "compute.use_gpu=false", "-p", f"compute.precision={precision}"]


def _labels(folder: Path, table: Path, place: Path) -> str:
    with open(table, encoding="utf-8", newline="") as file:
        files = sorted((row["path"], row["label"]) for row in csv.DictReader(file))
    names = ("float32, retrained", "int8, refitted", "int8, as it was")
    same: dict[str, list[float]] = {name: [] for name in names}
    right: dict[str, list[float]] = {name: [] for name in names}
    held_out = 0
    for seed in SEEDS:
        pictures, truth = _split(folder, files, seed, place / f"pictures {seed}")
        answers = _answers(pictures, place / f"models {seed}")
        held_out += len(truth)
        for name, labels in zip(names, answers, strict=True):
            same[name].append(np.mean([labels[path] == answers[0][path] for path in truth]))
            right[name].append(np.mean([labels[path] == label for path, label in truth.items()]))
            print(f"  seed {seed}: {name}: {same[name][-1]:.3f} same, {right[name][-1]:.3f} right", file=sys.stderr)
    rows = [
        f"| {name} | {100 * np.mean(same[name]):.1f} % | {100 * np.mean(right[name]):.1f} % | same: "
        f"{_percents(same[name])}; right: {_percents(right[name])} |"
        for name in names
    ]
    classes = len({label for _, label in files})
    return LABELS.format(
        folder=folder.name, count=len(files), classes=classes, seeds=len(SEEDS), held_out=held_out, rows="\n".join(rows)
    )


def _percents(fractions: list[float]) -> str:
    return ", ".join(f"{100 * fraction:.1f}" for fraction in fractions)


def _split(folder: Path, files: list[tuple[str, str]], seed: int, target: Path) -> tuple[Path, dict[str, str]]:
    """Copy the pictures into train/LABEL and validation/LABEL; return the path and label of the latter."""
    truth, chance = {}, np.random.default_rng(seed)
    for label in sorted({label for _, label in files}):
        paths = [path for path, found in files if found == label]
        held_out = set(chance.permutation(len(paths))[: len(paths) // 5].tolist())
        for number, path in enumerate(paths):
            side = "validation" if number in held_out else "train"
            copy = target / side / label / Path(path).name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / path, copy)
            if side == "validation":
                truth[f"/{side}/{label}/{copy.name}"] = label
    return target, truth


def _answers(pictures: Path, place: Path) -> list[dict[str, str]]:
    """Return the best labels by path of a float32 model, of one retrained on int8, and of the first quantised."""
    int8, models = place / "int8", [place / "float32", place / "refitted", place / "as it was"]
    for folder in (int8, *models):
        folder.mkdir(parents=True)
    train = pictures / "train"
    _quantise(None, train, int8, 0.0)
    float32 = RetrainSettings.from_params({"compute": {"precision": "float32"}})
    retrain(LocalStore(pictures), None, LocalStore(models[0]), float32)
    retrain(LocalStore(pictures), LocalStore(int8), LocalStore(models[1]), RetrainSettings())
    _quantise(models[0], train, models[2], 0.0)
    return [_scored(pictures, model, "float32" if model == models[0] else "auto") for model in models]


def _scored(pictures: Path, model: Path, precision: str) -> dict[str, str]:
    settings = ClassifySettings.from_params({"compute": {"precision": precision}})
    return {row["images"]: row["label"] for row in classify(LocalStore(pictures), LocalStore(model), settings)}


if __name__ == "__main__":
    main()
