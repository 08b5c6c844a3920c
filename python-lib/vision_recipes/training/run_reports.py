"""What a training leaves beside the model for people: history, metrics, predictions, settings, unreadable files."""

from __future__ import annotations

import csv
import datetime
import io
import json
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import SIDES
from vision_recipes.metrics import accuracy_interval, cross_entropy, softmax
from vision_recipes.model_folder.commit import installed_versions
from vision_recipes.training.epochs import Epoch
from vision_recipes.training_settings import RetrainSettings

if TYPE_CHECKING:
    from vision_recipes.dataset.preparation import Prepared
    from vision_recipes.training.features import FeatureSource
    from vision_recipes.training.stages import Trained

HISTORY, METRICS, RUN = "history.csv", "metrics.json", "run.json"
VALIDATION, UNREADABLE, EXAMPLES = "validation.csv", "rejected.csv", "augmentation.html"
DUPLICATES, PAGE = "duplicates.csv", "report/index.html"
EVERY = (HISTORY, METRICS, RUN, VALIDATION, UNREADABLE, EXAMPLES, DUPLICATES, PAGE)
"""The fixed names of the reports in a model folder."""

PACKAGES = ("vision-recipes", "numpy", "scipy", "openvino", "keras", "tensorflow", "pillow")
_MOST_CLASSES_OF_LOSS = 1000


@dataclass(frozen=True)
class Run:
    """All that the reports of a training need. `unreadable` holds path, label, reason and detail of a file each."""

    settings: RetrainSettings
    prepared: Prepared
    trained: Trained
    unreadable: Sequence[tuple[str, str, str, str]]
    source: FeatureSource

    @property
    def images(self) -> LabelledImages:
        """The dataset that was trained on."""
        return self.prepared.images


def write_reports(run: Run) -> dict[str, bytes]:
    """Return the reports by file name."""
    images, trained = run.images, run.trained
    counts = {name: len(images.rows(side)) for side, name in enumerate(SIDES)}
    metrics = {"pictures": counts, "rejected": len(run.unreadable), "how": trained.how} | trained.metrics
    for side, logits in trained.logits.items():
        metrics[SIDES[side]] = side_metrics(logits, images.subset(side))
    reports = {
        HISTORY: _history(trained.epochs),
        METRICS: _json(metrics),
        RUN: _json(_run(run)),
        VALIDATION: _predictions(run),
    }
    if run.unreadable:
        reports[UNREADABLE] = _csv(("path", "label", "reason", "detail"), run.unreadable)
    if run.prepared.near_duplicates:
        reports[DUPLICATES] = _duplicates(run.prepared)
    return reports


def side_metrics(logits: np.ndarray, images: LabelledImages) -> dict[str, Any]:
    """Return accuracy with its 95 % interval, balanced accuracy, log loss and figures per class, for metrics.json."""
    targets, predicted, classes = images.targets, logits.argmax(axis=1), len(images.classes)
    support = np.bincount(targets, minlength=classes)
    predictions = np.bincount(predicted, minlength=classes)
    hits = np.bincount(targets[predicted == targets], minlength=classes)
    recall = hits[support > 0] / support[support > 0]
    low, high = accuracy_interval(int(hits.sum()), len(targets))
    loss = None
    if classes <= _MOST_CLASSES_OF_LOSS:
        loss = cross_entropy(logits, images.one_hot(), np.ones(len(targets), np.float32))
    return {
        "pictures": len(targets),
        "accuracy": float(hits.sum() / len(targets)),
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy": float(recall.mean()),
        "log_loss": loss,
        "classes": [
            {
                "label": label,
                "pictures": int(support[number]),
                "recall": _fraction(hits[number], support[number]),
                "precision": _fraction(hits[number], predictions[number]),
            }
            for number, label in enumerate(images.classes)
        ],
    }


def _run(run: Run) -> dict[str, Any]:
    images, base = run.images, run.source.base
    pictures = zip(images.paths, images.digests, images.labels, images.sides, strict=True)
    return {
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "parameters": asdict(run.settings),
        "seed": run.settings.random_seed,
        "versions": {"python": platform.python_version()} | installed_versions(PACKAGES),
        "machine": {"system": sys.platform, "processor": platform.machine()},
        "how": run.trained.how,
        "remarks": run.prepared.remarks,
        "labels": list(images.classes),
        "base_model": {"name": base.name, "hash": base.folder_hash, "input": asdict(base.preprocessing)},
        "pictures": [
            {"path": path, "sha256": digest, "label": label, "split": SIDES[side]}
            for path, digest, label, side in pictures
        ],
    }


def _predictions(run: Run) -> bytes:
    images, rows = run.images, []
    for side, logits in run.trained.logits.items():
        part = images.subset(side)
        for path, label, probabilities in zip(part.paths, part.labels, softmax(logits.astype(np.float64)), strict=True):
            best = int(probabilities.argmax())
            rows.append((path, label, images.classes[best], f"{probabilities[best]:.6f}", SIDES[side]))
    return _csv(("path", "label", "prediction", "probability", "split"), rows)


def _duplicates(prepared: Prepared) -> bytes:
    """Return the pairs of near-duplicates, the most similar first."""
    images, labels = prepared.images, prepared.images.labels
    rows = []
    for pair in sorted(prepared.near_duplicates, key=lambda pair: -pair.similarity):
        one, other = pair.one, pair.other
        sides = (SIDES[images.sides[one]], SIDES[images.sides[other]])
        paths = (images.paths[one], images.paths[other])
        rows.append((*paths, f"{pair.similarity:.4f}", labels[one], labels[other], *sides))
    return _csv(("path", "other", "likeness", "label", "other_label", "split", "other_split"), rows)


def _history(epochs: Sequence[tuple[str, Epoch]]) -> bytes:
    names = ["stage", *(column.name for column in fields(Epoch))]
    return _csv(names, [(stage, *astuple(epoch)) for stage, epoch in epochs])


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8", "backslashreplace")


def _json(data: Any) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _fraction(count: int, total: int) -> float | None:
    return float(count / total) if total else None
