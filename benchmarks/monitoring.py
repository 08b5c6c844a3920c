"""How often vision-monitor raises an alarm: on pictures that have not changed, and on pictures that have.

    python -m benchmarks.monitoring FOLDER ... [--new FOLDER] [--draws 100] [--report benchmarks/monitoring.md]

A FOLDER with pictures in one sub-folder per label is divided by chance: a model is retrained on two fifths with all
defaults, the others are new pictures. "New class" leaves each of three classes in turn out of the training; a third of
the new pictures are of it. A FOLDER without sub-folders goes through the default network, with two fifths as the
reference folder; its new class are the pictures of `--new`. Draws of one line share their reference pictures.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from vision_recipes.default_model import open_default
from vision_recipes.model_folder import Model, open_model
from vision_recipes.monitor_settings import MonitorSettings
from vision_recipes.monitoring.comparison import References, Rules, compare
from vision_recipes.monitoring.kept_pictures import kept_references
from vision_recipes.monitoring.sample import Sample
from vision_recipes.monitoring.scoring import score_folder
from vision_recipes.retrain import retrain
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import RetrainSettings

PAGE = """# Alarms of vision-monitor

Alarms in {draws} draws of new pictures, all settings the defaults; "new class" is a share of 30 %. The last two columns
are the mean accuracy that was expected without labels, and the true one. Written by `python -m benchmarks.monitoring`.

| pictures | reference | change | new | alarms | separability | expected | true |
|---|---|---|---|---|---|---|---|
{lines}
"""
REFERENCE, CLASSES, SHARE = 0.4, 3, 0.3
CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "none": lambda picture: picture,
    "brightness halved": lambda picture: picture.point(lambda value: value // 2),
    "another camera": lambda picture: _saved(picture.filter(ImageFilter.GaussianBlur(1)), 20),
}


def main() -> None:
    """Measure, print the page and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--new", type=Path, help="pictures of a class that folders without labels lack")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 50, 20])
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    lines = []
    for folder in given.folders:
        with tempfile.TemporaryDirectory(prefix="vision-monitoring-") as work:
            labelled = any(path.is_dir() for path in folder.iterdir())
            cases = _labelled(folder, Path(work)) if labelled else _unlabelled(folder, given.new, Path(work))
            for change, references, new, unknown, classes in cases:
                for size in given.sizes:
                    if int(size * (1 - SHARE)) <= len(new) and size <= len(new) + len(unknown):
                        measured = _alarms(references, new, unknown, classes, size, given.draws)
                        lines.append(f"| {folder.name} | {len(references.looks)} | {change} | {size} | {measured} |")
                        print(lines[-1], flush=True)
    page = PAGE.format(draws=given.draws, lines="\n".join(lines))
    if given.report:
        given.report.write_text(page, encoding="utf-8")


Case = tuple[str, References, Sample, Sample, int]


def _labelled(folder: Path, work: Path) -> Iterator[Case]:
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    draw = np.random.default_rng(0)
    files = {name: draw.permutation(sorted((folder / name).iterdir())) for name in names}
    for left_out in ["", *names[:: max(1, len(names) // CLASSES)][:CLASSES]]:
        train, held_out = work / f"train{left_out}", work / "held-out"
        for name in names:
            count = int(REFERENCE * len(files[name]))
            _copy(files[name][:count] if name != left_out else [], train / name)
            _copy(files[name][count:], held_out / name)
        store = LocalStore(work / f"model{left_out}")
        retrain(LocalStore(train), None, store, RetrainSettings.from_params({"tensorboard": False}))
        model = open_model(store)
        kept = model.reference_pictures
        assert kept is not None
        references = kept_references(model, kept, np.zeros(model.config.n_classes, np.int64), 0, frozen=True)
        if left_out:
            sample = _scored(held_out, model)
            known = np.array([Path(path).parent.name != left_out for path in sample.names])
            yield f"new class ({left_out})", references, sample.take(known), sample.take(~known), len(names) - 1
        else:
            for change in CHANGES:
                changed = _changed(held_out, work / change, change)
                yield change, references, _scored(changed, model), references.looks.take(np.arange(0)), len(names)


def _unlabelled(folder: Path, other: Path | None, work: Path) -> Iterator[Case]:
    model, files = open_default(), np.random.default_rng(0).permutation(sorted(folder.iterdir()))
    count = int(REFERENCE * len(files))
    _copy(files[:count], work / "reference")
    _copy(files[count:], work / "held-out")
    reference = _scored(work / "reference", model)
    nothing = reference.take(np.arange(0))
    references = References(reference, reference, nothing)
    for change in CHANGES:
        yield change, references, _scored(_changed(work / "held-out", work / change, change), model), nothing, 1000
    if other:
        yield f"new class ({other.name})", references, _scored(work / "held-out", model), _scored(other, model), 1000


def _alarms(references: References, new: Sample, unknown: Sample, classes: int, size: int, draws: int) -> str:
    """Return the cells of a line: alarms, mean separability, mean expected accuracy, mean accuracy."""
    alarms, separability, expected, right = 0, [], [], []
    for seed in range(draws):
        draw = np.random.default_rng(1000 + seed)
        foreign = int(SHARE * size) if len(unknown) else 0
        known = new.take(draw.permutation(len(new))[: size - foreign])
        drawn = _joined(known, unknown.take(draw.permutation(len(unknown))[:foreign]))
        found = compare(references, drawn, 0, classes, Rules(0.01, False, seed))
        alarms += found.alarm
        separability.append(found.separability)
        expected.append(found.accuracy.accuracy if found.accuracy else np.nan)
        right.append(drawn.right.mean())
    figures = (f"{np.mean(values):.3f}" for values in (separability, expected, right))
    return f"{alarms} | {' | '.join(figures)}".replace("nan", "–")


def _joined(one: Sample, other: Sample) -> Sample:
    parts = ((getattr(one, name), getattr(other, name)) for name in list(vars(one))[1:])
    return Sample((*one.names, *other.names), *(np.concatenate(pair) if len(other) else pair[0] for pair in parts))


def _scored(folder: Path, model: Model) -> Sample:
    sample = score_folder(LocalStore(folder), model, MonitorSettings(), 100_000, None, None).sample
    labels = [model.labels[number] for number in sample.labels]
    if model.config.head is None:
        return sample
    truths = [Path(path).parent.name for path in sample.names]
    return replace(sample, right=np.array([label == truth for label, truth in zip(labels, truths, strict=True)], float))


def _copy(files: list[Path] | np.ndarray, target: Path) -> None:
    for file in files:
        target.mkdir(parents=True, exist_ok=True)
        (target / Path(file).name).write_bytes(Path(file).read_bytes())


def _changed(folder: Path, target: Path, change: str) -> Path:
    """Return a folder with the changed pictures; without a change it is the folder itself."""
    if change == "none":
        return folder
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = target / file.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as picture:
            CHANGES[change](picture.convert("RGB")).save(place, "JPEG", quality=95)
    return target


def _saved(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(io.BytesIO(stream.getvalue()))


if __name__ == "__main__":
    main()
