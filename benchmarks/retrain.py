"""vision-retrain beside the frozen-base script of every Keras guide, on the same photos; writes benchmarks/retrain.md.

Also: thirty epochs of `last` beside scoring the photos once, both with MobileNetV2 (random weights, 224 pixels).

python -m benchmarks.retrain NET.keras LAYER FOLDER LABELS.csv --peer SCRIPT.py [--epochs 10] [--seeds 5] [--rounds 3]

LABELS.csv has the columns path and label. SCRIPT.py takes FOLDER LABELS.csv NET.keras LAYER EPOCHS and prints, last,
its best validation accuracy. Each seed of the recipe draws a split of its own; the script has one.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import alternate, apart, median
from benchmarks.random_models import make_model

SCORED, TRAINED = "vision-classify, once", "vision-retrain, 30 epochs of last"
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure both, print the page and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrain", description=__doc__)
    parser.add_argument("network", type=Path, help="a .keras file with caffe preprocessing")
    parser.add_argument("layer", help="its feature layer, for the script")
    parser.add_argument("folder", type=Path, help="the photos")
    parser.add_argument("labels", type=Path, help="a CSV with the columns path and label")
    parser.add_argument("--peer", type=Path, required=True, help="the script to compare with")
    parser.add_argument("--epochs", type=int, default=10, help="of the script (10)")
    parser.add_argument("--seeds", type=int, default=5, help="how many splits of the recipe (5)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each command is timed (3)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vision-bench-") as folder:
        place = Path(folder)
        _minihost(
            place,
            "vision-import",
            *("-p", f"model_file={given.network.resolve()}", "-p", "preprocessing=caffe"),
            *("-p", f"output_managed_folder={place / 'net'}"),
        )
        accuracies = [_accuracy(place, given, 1337 + number) for number in range(given.seeds)]
        peer = [sys.executable, str(given.peer), str(given.folder), str(given.labels), str(given.network), given.layer]
        peer.append(str(given.epochs))
        told = subprocess.run(peer, check=True, capture_output=True, text=True).stdout
        apart(make_model, place / "mobile", "MobileNetV2", "tf")
        commands = {"vision-retrain, defaults": _retraining(place, given, 1337), "plain Keras": peer}
        commands |= {SCORED: _scoring(place, given), TRAINED: _thirty_epochs(place, given)}
        found = alternate(commands, given.rounds, lambda line: print(line, file=sys.stderr, flush=True))
    seconds = {name: median(run.seconds for run in runs) for name, runs in found.items()}
    best = re.findall(r"accuracy ([\d.]+)", told)[-1]
    lines = [
        "# Retraining, measured",
        "",
        f"{given.folder.name}, `last`, all defaults, against the frozen-base script with {given.epochs} epochs; whole "
        f"processes, medians of {given.rounds} rounds in turn. Written by `python -m benchmarks.retrain`.",
        "",
        "| command | whole process, s | validation accuracy |",
        "|---|---|---|",
        f"| vision-retrain, defaults | {seconds['vision-retrain, defaults']:.1f} | "
        f"{sum(accuracies) / len(accuracies):.4f} mean of {len(accuracies)} seeds "
        f"({min(accuracies):.3f} to {max(accuracies):.3f}) |",
        f"| plain Keras | {seconds['plain Keras']:.1f} | {best}, best epoch |",
        "",
        f"Plain Keras takes {seconds['plain Keras'] / seconds['vision-retrain, defaults']:.1f} times as long.",
        "",
        f"MobileNetV2, the same photos, whole processes: scoring them once takes {seconds[SCORED]:.1f} s, thirty "
        f"epochs of `last` with adam {seconds[TRAINED]:.1f} s.",
    ]
    page = "\n".join(lines) + "\n"
    print(page)
    (ROOT / "benchmarks" / "retrain.md").write_text(page, encoding="utf-8")


def _scoring(place: Path, given: argparse.Namespace) -> list[str]:
    roles = ("-i", f"image_folder={given.folder.resolve()}", "-i", f"model_folder={place / 'mobile'}")
    return _command(
        place, "vision-classify", *roles, "-o", f"scored_dataset={place / 'scored.csv'}", "-p", "compute.use_gpu=false"
    )


def _thirty_epochs(place: Path, given: argparse.Namespace) -> list[str]:
    command = _retraining(place, given, 1337, network="mobile", output="thirty")
    return [*command, "-p", "nb_epochs=30", "-p", "model_optimizer=adam", "-p", "early_stopping_patience=0"]


def _accuracy(place: Path, given: argparse.Namespace, seed: int) -> float:
    command = _retraining(place, given, seed)
    subprocess.run(command, check=True, capture_output=True)
    metrics = json.loads((place / f"mine{seed}" / "metrics.json").read_text(encoding="utf-8"))
    return float(metrics["validation"]["accuracy"])


def _retraining(
    place: Path, given: argparse.Namespace, seed: int, *, network: str = "net", output: str = "mine"
) -> list[str]:
    return _command(
        place,
        "vision-retrain",
        *("-i", f"image_folder={given.folder.resolve()}", "-i", f"model_folder={place / network}"),
        *("-i", f"label_dataset={given.labels.resolve()}", "-o", f"model_output={place / f'{output}{seed}'}"),
        *("-p", "col_filename=path", "-p", "col_label=label", "-p", f"random_seed={seed}"),
        *("-p", "compute.use_gpu=false"),
    )


def _minihost(place: Path, *words: str) -> None:
    subprocess.run(_command(place, *words), check=True)


def _command(place: Path, component: str, *options: str) -> list[str]:
    head = [sys.executable, "-m", "minihost", "run", component, "--plugin", str(ROOT), "--project", str(place)]
    return [*head, *options]


if __name__ == "__main__":
    main()
