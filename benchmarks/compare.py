"""vision-compare against always taking the default network, on pictures that neither saw.

python -m benchmarks.compare PICTURES PATTERN MODEL_FOLDER ...

A third of the pictures is held out, of each label as many; the winner and the default network, each retrained by
vision-retrain on the others, classify them. `PATTERN` is that of file names, "" for sub-folders.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.classify import classify
from vision_recipes.compare import CompareInputs, CompareOutputs, compare
from vision_recipes.compare_settings import CompareSettings
from vision_recipes.dataset.label_table import read_label_table
from vision_recipes.model_selection.sampling import stratified_order
from vision_recipes.retrain import retrain
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import LabelSettings, RetrainSettings

SPLITS = 3


class Labels:
    """A table of paths and labels."""

    name, columns = "labels", ["path", "label"]
    types: Mapping[str, str] = {"path": "string", "label": "string"}

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield a row of each picture."""
        for path, label in self._labels.items():
            yield {"path": path, "label": label}


def main(folder: str, pattern: str, models: list[str]) -> None:
    """Print the accuracies of both models on the held-out pictures of each split, and their means."""
    pictures = LocalStore(folder)
    labels = read_label_table(pictures, LabelSettings.from_params({"label_pattern": pattern}), None).labels
    found = []
    with tempfile.TemporaryDirectory() as name:
        cache = LocalStore(Path(name) / "cache")
        for seed in range(SPLITS):
            by_label: dict[str, list[str]] = {}
            for path in stratified_order(labels, seed):
                by_label.setdefault(labels[path], []).append(path)
            test = [path for paths in by_label.values() for path in paths[::3]]
            train = {path: label for path, label in labels.items() if path not in set(test)}
            winner, default = LocalStore(Path(name) / f"winner-{seed}"), LocalStore(Path(name) / f"default-{seed}")
            inputs = CompareInputs(pictures, [LocalStore(model) for model in models], Labels(train))
            rows = list(compare(inputs, CompareSettings(), CompareOutputs(winner, cache=cache)))
            retrain(pictures, None, default, RetrainSettings(), labels=Labels(train), cache=cache)
            right = [_right(pictures, model, {path: labels[path] for path in test}) for model in (winner, default)]
            found.append(right)
            chosen = rows[0]["candidate"]
            print(f"split {seed}: winner ({chosen}) {right[0]:.4f}, default {right[1]:.4f}", flush=True)
    means = np.mean(found, axis=0)
    print(
        f"{Path(folder).name}: winner {means[0]:.4f}, default {means[1]:.4f}, {100 * (means[0] - means[1]):+.1f} points"
    )


def _right(pictures: LocalStore, model: LocalStore, truth: Mapping[str, str]) -> float:
    """Return the fraction of pictures whose label a model gives."""

    class Some(LocalStore):
        def paths(self) -> list[str]:
            return sorted(truth)

    rows = classify(Some(pictures.root, pictures.name), model, ClassifySettings())
    return float(np.mean([row["label"] == truth[row["images"]] for row in rows]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
