"""What becomes of pictures of a class that was never trained on: each class is left out of the training in turn.

    python -m benchmarks.unseen [MODEL=FOLDER[=LABELS.csv] ...] [--splits 3] [--report benchmarks/unseen.md]

The drawn characters with the default network come first. MODEL is a model folder; FOLDER holds pictures, in one
sub-folder per label or with a table that has the columns path and label. All settings are the defaults of the recipes.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import tempfile
from pathlib import Path

from sample_pictures.drawing import draw
from vision_recipes.classify import classify
from vision_recipes.retrain import retrain
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import RetrainSettings

CHARACTERS = 800
PAGE = """# Pictures of a class that was never trained on

Each class is left out in turn, the last layer is retrained on the others with {splits} splits each, and the pictures of
the class left out are classified. "Set aside" is the share of them with the verdict `unsure` or `unknown`, while the
share "known" of the validation pictures keeps that verdict; "right" is the accuracy on validation pictures.
Written by `python -m benchmarks.unseen --report benchmarks/unseen.md`, given the other models and folders.

| pictures | classes trained on | right | known | set aside, mean | by class |
|---|---|---|---|---|---|
{lines}
"""


def main() -> None:
    """Measure, print the page and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unseen", description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="MODEL=FOLDER[=LABELS.csv]")
    parser.add_argument("--splits", type=int, default=3, help="splits per class left out (3)")
    parser.add_argument("--report", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vision-unseen-") as folder:
        drawn = {path: (jpeg, path[1:].split("_pic_")[0]) for path, jpeg in draw("cartoon-characters", CHARACTERS, 1)}
        lines = [_line("drawn characters", None, drawn, given.splits, Path(folder))]
        print(lines[-1], flush=True)
        for task in given.tasks:
            model, pictures, *labels = task.split("=")
            lines.append(_line(Path(pictures).name, Path(model), _files(pictures, *labels), given.splits, Path(folder)))
            print(lines[-1], flush=True)
    page = PAGE.format(splits=given.splits, lines="\n".join(lines))
    print(page)
    if given.report:
        given.report.write_text(page, encoding="utf-8")


def _files(folder: str, labels: str | None = None) -> dict[str, tuple[bytes, str]]:
    """Return path -> (bytes, label)."""
    if labels is None:
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return {f"/{number}{path.suffix}": (path.read_bytes(), path.parent.name) for number, path in enumerate(files)}
    with open(labels, encoding="utf-8", newline="") as file:
        return {
            "/" + row["path"]: (Path(folder, row["path"]).read_bytes(), row["label"]) for row in csv.DictReader(file)
        }


def _line(name, model, files, splits, place) -> str:
    labels = sorted({label for _, label in files.values()})
    found = {label: [_leave_out(label, model, files, split, place) for split in range(splits)] for label in labels}
    metrics = [metrics for runs in found.values() for metrics, _ in runs]
    aside = {label: sum(share for _, share in runs) / splits for label, runs in found.items()}
    right = sum(one["validation"]["accuracy"] for one in metrics) / len(metrics)
    known = sum(one["verdict"]["known"] for one in metrics) / len(metrics)
    each = ", ".join(f"{label} {share:.2f}" for label, share in aside.items())
    mean = sum(aside.values()) / len(aside)
    return f"| {name} | {len(labels) - 1} | {right:.3f} | {known:.3f} | **{mean:.2f}** | {each} |"


def _leave_out(left_out, model, files, split, place) -> tuple[dict, float]:
    """Return the metrics of a model that never saw a label, and the share of that label's pictures it sets aside."""
    stores = {part: LocalStore(place / part) for part in ("known", "unseen", "mine")}
    for part in stores:
        shutil.rmtree(place / part, ignore_errors=True)
        (place / part).mkdir()
    for path, (content, label) in files.items():
        stores["unseen" if label == left_out else "known"].write(f"/{label}{path}", content)
    settings = RetrainSettings(label_source="folder_names", random_seed=1337 + split, tensorboard=False)
    (place / "cache").mkdir(exist_ok=True)
    base = LocalStore(model) if model else None
    retrain(stores["known"], base, stores["mine"], settings, cache=LocalStore(place / "cache"))
    verdicts = [row["verdict"] for row in classify(stores["unseen"], stores["mine"], ClassifySettings())]
    metrics = json.loads((place / "mine" / "metrics.json").read_text(encoding="utf-8"))
    return metrics, sum(verdict != "known" for verdict in verdicts) / len(verdicts)


if __name__ == "__main__":
    main()
