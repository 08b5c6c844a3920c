"""What a training leaves beside the model for people to read: history, metrics, predictions, the run, the rejects."""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

import numpy as np

from vision_recipes.dataset.duplicates import Pair
from vision_recipes.dataset.splits import SIDES, TRAIN
from vision_recipes.pictures import Picture
from vision_recipes.settings import RetrainSettings
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.examples import cross_entropy, probabilities

HISTORY, METRICS, RUN = "history.csv", "metrics.json", "run.json"
VALIDATION, REJECTED, EXAMPLES = "validation.csv", "rejected.csv", "augmentation.html"
DUPLICATES = "duplicates.csv"
EVERY = (HISTORY, METRICS, RUN, VALIDATION, REJECTED, EXAMPLES, DUPLICATES)
"""The fixed names of the reports in a model folder."""

PACKAGES = ("vision-recipes", "numpy", "scipy", "openvino", "keras", "tensorflow", "pillow")
_NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Judged:
    """How a model does on one side of the split: the pictures' logits float32 (n, classes) and true classes."""

    logits: np.ndarray
    targets: np.ndarray
    labels: Sequence[str]

    @property
    def right(self) -> int:
        """How many pictures got their own label."""
        return int((self.logits.argmax(axis=1) == self.targets).sum())

    @property
    def accuracy(self) -> float:
        """The part of the pictures that got their own label."""
        return self.right / len(self.targets)

    def figures(self) -> dict[str, Any]:
        """Return accuracy with its 95 % interval (Wilson 1927), balanced accuracy, log loss and figures per class."""
        guesses, classes = self.logits.argmax(axis=1), len(self.labels)
        support = np.bincount(self.targets, minlength=classes)
        guessed = np.bincount(guesses, minlength=classes)
        hits = np.bincount(self.targets[guesses == self.targets], minlength=classes)
        recall = hits[support > 0] / support[support > 0]
        wanted = np.eye(classes, dtype=np.float32)[self.targets] if classes <= 1000 else None
        low, high = wilson(self.right, len(self.targets))
        return {
            "pictures": len(self.targets),
            "accuracy": self.accuracy,
            "accuracy_low": low,
            "accuracy_high": high,
            "balanced_accuracy": float(recall.mean()),
            "log_loss": None
            if wanted is None
            else cross_entropy(self.logits, wanted, np.ones(len(self.targets), np.float32)),
            "classes": [
                {
                    "label": label,
                    "pictures": int(support[number]),
                    "recall": _part(hits[number], support[number]),
                    "precision": _part(hits[number], guessed[number]),
                }
                for number, label in enumerate(self.labels)
            ],
        }


@dataclass
class Story:
    """All that happened in a training, for its reports."""

    settings: RetrainSettings
    labels: Sequence[str]
    pictures: Sequence[Picture]
    sides: np.ndarray
    rejected: Sequence[Picture]
    remarks: list[str] = field(default_factory=list)
    alike: Sequence[Pair] = ()
    how: str = ""
    epochs: list[tuple[str, Epoch]] = field(default_factory=list)
    judged: dict[str, tuple[np.ndarray, Judged]] = field(default_factory=dict)
    more_metrics: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def write_reports(story: Story) -> dict[str, bytes]:
    """Return the reports by file name."""
    counts = {SIDES[side]: int((story.sides == side).sum()) for side in range(len(SIDES))}
    metrics = {"pictures": counts, "rejected": len(story.rejected), "how": story.how} | story.more_metrics
    metrics |= {name: judged.figures() for name, (_, judged) in story.judged.items()}
    reports = {
        HISTORY: _history(story.epochs),
        METRICS: _json(metrics),
        RUN: _json(_run(story)),
        VALIDATION: _predictions(story),
    }
    if story.rejected:
        rows = [(picture.path, picture.label, picture.reason, picture.detail) for picture in story.rejected]
        reports[REJECTED] = _csv(("path", "label", "reason", "detail"), rows)
    if story.alike:
        reports[DUPLICATES] = _duplicates(story)
    return reports


def tell(story: Story) -> str:
    """Return the paragraph on the training for the model card."""
    counts = np.bincount(story.sides, minlength=len(SIDES))
    lines = [f"Retrained on {counts[TRAIN]} pictures of {len(story.labels)} classes: {story.how}."]
    for name, (_, judged) in story.judged.items():
        low, high = wilson(judged.right, len(judged.targets))
        lines.append(
            f"Accuracy on {len(judged.targets)} {name} pictures: {judged.accuracy:.1%} "
            f"(95 % interval {low:.1%} to {high:.1%})."
        )
    lines += [remark + "." for remark in story.remarks]
    return " ".join(" ".join(lines).replace("<", "&lt;").split())


def wilson(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share, after Wilson 1927."""
    share, square = right / count, _NORMAL_95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    reach = _NORMAL_95 / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _run(story: Story) -> dict[str, Any]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "parameters": asdict(story.settings),
        "seed": story.settings.random_seed,
        "versions": {"python": platform.python_version()} | versions,
        "machine": {"system": sys.platform, "processor": platform.machine()},
        "how": story.how,
        "remarks": story.remarks,
        "labels": list(story.labels),
        **story.facts,
        "pictures": [
            {"path": picture.path, "sha256": picture.digest, "label": picture.label, "split": SIDES[side]}
            for picture, side in zip(story.pictures, story.sides, strict=True)
        ],
    }


def _predictions(story: Story) -> bytes:
    rows = []
    for name, (places, judged) in story.judged.items():
        shares = probabilities(judged.logits.astype(np.float64))
        for place, row in zip(places, shares, strict=True):
            picture, best = story.pictures[place], int(row.argmax())
            rows.append((picture.path, picture.label, story.labels[best], f"{row[best]:.6f}", name))
    return _csv(("path", "label", "prediction", "probability", "split"), rows)


def _duplicates(story: Story) -> bytes:
    """Return the pairs of nearly the same pictures, the most alike first."""
    rows = []
    for pair in sorted(story.alike, key=lambda pair: -pair.likeness):
        one, other = story.pictures[pair.one], story.pictures[pair.other]
        sides = (SIDES[story.sides[pair.one]], SIDES[story.sides[pair.other]])
        rows.append((one.path, other.path, f"{pair.likeness:.4f}", one.label, other.label, *sides))
    return _csv(("path", "other", "likeness", "label", "other_label", "split", "other_split"), rows)


def _history(epochs: Sequence[tuple[str, Epoch]]) -> bytes:
    names = ["stage", *Epoch(0, 0.0, 0.0, None, None, 0.0, 0.0).as_row()]
    return _csv(names, [(stage, *epoch.as_row().values()) for stage, epoch in epochs])


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8", "backslashreplace")


def _json(data: Any) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _part(count: int, total: int) -> float | None:
    return float(count / total) if total else None
