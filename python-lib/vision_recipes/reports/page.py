"""The report of an evaluation: one self-contained HTML file, of bounded size whatever the number of pictures."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vision_recipes.errors import VisionError
from vision_recipes.images.reading import read
from vision_recipes.pictures import REASONS
from vision_recipes.reports import plots, ranking, reproduction
from vision_recipes.reports.comparison import Comparison
from vision_recipes.reports.confusion import confusion_matrix
from vision_recipes.reports.label_issues import CheckedLabel
from vision_recipes.reports.metric_rows import Row, confidences
from vision_recipes.reports.predictions import LabelledPredictions, Prediction
from vision_recipes.reports.rendering import render
from vision_recipes.reports.slices import Slice
from vision_recipes.reports.summary import summarise
from vision_recipes.reports.thumbnails import SIDE, Thumbnail, encode, make_thumbnails
from vision_recipes.reports.training_record import TRAIN_SIDE, TrainingRecord
from vision_recipes.stores import Store
from vision_recipes.training.augmentation import AugmentationPlan, augment
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")

_GALLERY, _PAIRS, _DISAGREEMENTS, _NEIGHBOURS = 12, 8, 8, 3
_CLASSES, _FILES = 200, 40
_AUGMENTED, _COPIES = 4, 3


@dataclass(frozen=True)
class Evaluation:
    """All that a report may show; what was not connected is None or empty.

    `rejected` holds the reason of each picture without a prediction; `rows` are the metrics (METRICS). `held_out` says
    that these are the validation pictures of the training itself.
    `checked` are labels checked by the recipe vision-check-labels, whose pictures are in `checked_pictures`.
    """

    name: str
    predictions: LabelledPredictions
    rejected: Mapping[str, str]
    rows: Sequence[Row]
    slices: Sequence[Slice] = ()
    comparison: Comparison | None = None
    training: TrainingRecord | None = None
    pictures: Store | None = None
    checked: Sequence[CheckedLabel] = ()
    checked_pictures: Store | None = None
    held_out: bool = False


def render_page(evaluation: Evaluation) -> bytes:
    """Return the report as UTF-8."""
    pictures, training = evaluation.predictions.pictures, evaluation.training
    matrix = confusion_matrix(pictures)
    worst, least = ranking.worst_errors(pictures, _GALLERY), ranking.least_certain(pictures, _GALLERY)
    disagreements = evaluation.comparison.disagreements[:_DISAGREEMENTS] if evaluation.comparison else []
    shown = [*matrix.pictures(), *worst, *least, *(first for first, _ in disagreements)]
    thumbs = make_thumbnails(evaluation.pictures, [picture.path for picture in shown])
    issues = [checked for checked in evaluation.checked if checked.issue][:_GALLERY]
    issue_paths = [path for checked in issues for path in (checked.path, *checked.neighbours[:_NEIGHBOURS])]
    overall = {row["metric"]: row for row in evaluation.rows if not row["class"] and not row["slice_column"]}
    figures = {metric: row["value"] for metric, row in overall.items()}
    summary = summarise(evaluation.predictions, figures, matrix, training, held_out=evaluation.held_out)
    page = render(
        "page.html",
        {
            "title": f"Evaluation of {training.model.name if training else evaluation.name}",
            "evaluation": evaluation,
            "training": training,
            "overall": overall,
            "summary": summary,
            "matrix": matrix,
            "worst": worst,
            "least": least,
            "disagreements": disagreements,
            "label_errors": ranking.likely_label_errors(pictures, _GALLERY),
            "issues": issues,
            "issue_thumbs": make_thumbnails(evaluation.checked_pictures or evaluation.pictures, issue_paths),
            "thumbs": thumbs,
            "classes": _classes(evaluation.rows),
            "sizes": training.class_sizes if training else {},
            "slices": _slices(evaluation.slices),
            "calibration": _calibration(pictures),
            "curves": _curves(training),
            "solver": training is not None and any(stage.unit == "solver steps" for stage in training.stages),
            "remarks": _remarks(training),
            "rejected": _rejected(evaluation),
            "leakage": _leakage(evaluation, thumbs),
            "duplicates": _duplicates(training),
            "augmentation": _augmentation(evaluation),
            "verdicts": _verdicts(pictures),
            "settings": reproduction.settings(training),
            "versions": reproduction.versions(training),
            "command": reproduction.command(training),
        },
    )
    log.info("the report shows %d of %s, %.1f MB", len(thumbs), counted(len(pictures), "picture"), len(page) / 1e6)
    return page


def _classes(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the metrics per class, the lowest F1 first, at most _CLASSES of them."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["metric"] in ("precision", "recall", "f1", "support"):
            found.setdefault(row["class"], {"label": row["class"]})[row["metric"]] = row["value"]
            if row["metric"] == "precision":
                found[row["class"]]["predicted"] = row["support"]
    return sorted(found.values(), key=lambda metrics: (metrics["f1"], -metrics["support"]))[:_CLASSES]


def _slices(slices: Sequence[Slice]) -> dict[str, list[tuple[Slice, dict[str, float]]]]:
    """Return the slices of each column with their metrics, the lowest accuracy first."""
    found: dict[str, list[tuple[Slice, dict[str, float]]]] = {}
    for part in slices:
        found.setdefault(part.column, []).append((part, part.metrics()))
    return {column: sorted(parts, key=lambda pair: pair[1]["slice_accuracy"]) for column, parts in found.items()}


def _calibration(pictures: Sequence[Prediction]) -> list[Any]:
    probabilities, right = confidences(pictures)
    if not len(right):
        return []
    return [plots.draw_calibration(probabilities, right), plots.draw_confidence(probabilities, right)]


def _curves(training: TrainingRecord | None) -> list[plots.Plot]:
    drawn = []
    stages = training.stages if training else []
    for stage in stages:
        for title, name in (("Accuracy", "accuracy"), ("Loss", "loss")):
            sides = {"training": name, "validation": f"val_{name}"}
            lines = [(side, *stage.curve(column)) for side, column in sides.items()]
            lines = [line for line in lines if line[1]]
            if lines:
                values = "; ".join(f"{side} from {ys[0]:.3g} to {ys[-1]:.3g}" for side, _, ys in lines)
                described = f"{title} over {lines[0][1][-1]:g} {stage.unit}: {values}."
                shown = f"{title}, {stage.name}" if len(stages) > 1 else title
                drawn.append(plots.draw_curves(lines, shown, stage.unit, described))
    return drawn


def _rejected(evaluation: Evaluation) -> dict[str, Any]:
    """Return reasons with their meaning and counts, and the first files of the folder that was scored."""
    scored = Counter(evaluation.rejected.values())
    rows = evaluation.training.rejected if evaluation.training else ()
    trained = Counter(row.get("reason", "") for row in rows)
    reasons = [
        {"reason": reason, "meaning": REASONS.get(reason, ""), "scored": scored[reason], "trained": trained[reason]}
        for reason, _ in (scored + trained).most_common()
    ]
    return {"reasons": reasons, "files": list(evaluation.rejected)[:_FILES], "count": len(evaluation.rejected)}


def _remarks(training: TrainingRecord | None) -> list[str]:
    """Return the training's remarks, without lists of near-duplicates, which have a table of their own."""
    remarks = training.remarks if training else []
    return [said for said in remarks if not (training and training.duplicates and "near-dup" in said and " = " in said)]


def _leakage(evaluation: Evaluation, thumbs: Mapping[str, Thumbnail]) -> dict[str, Any]:
    """Return how many pictures, byte for byte, were in the training, and the first of them.

    All validation pictures are compared where the training itself reports on them, else those with a thumbnail.
    """
    training = evaluation.training
    splits = training.splits if training else {}
    nouns = "picture shown here", "pictures shown here"
    digests = {path: thumb.digest for path, thumb in thumbs.items()}
    if training and evaluation.held_out:
        digests, nouns = training.digests("validation"), ("validation picture", "validation pictures")
    found = [path for path, digest in digests.items() if splits.get(digest) == TRAIN_SIDE]
    if not splits or not digests:
        return {}
    return {"compared": counted(len(digests), *nouns), "found": found[:_FILES], "count": len(found)}


def _duplicates(training: TrainingRecord | None) -> dict[str, Any]:
    """Return counts of the training's near-duplicates and some: those with two labels, across the split, others."""
    rows = training.duplicates if training else []
    differing = [row for row in rows if row.get("label") != row.get("other_label")]
    across = [row for row in rows if row.get("split") != row.get("other_split")]
    first = [*differing, *[row for row in across if row not in differing]]
    rest = [row for row in rows[: 2 * _PAIRS] if row not in first]
    return {"rows": [*first, *rest][:_PAIRS], "count": len(rows), "across": len(across), "differing": len(differing)}


def _augmentation(evaluation: Evaluation) -> dict[str, Any]:
    """Return the training's plan in words and rows of thumbnails, each a picture and its copies; {} without any.

    A training shows its own pictures, in augmentation.html.
    """
    training, store = evaluation.training, evaluation.pictures
    if training is None or store is None or evaluation.held_out:
        return {}
    try:
        settings = RetrainSettings.from_params(training.parameters)
        plan = AugmentationPlan.from_pairs(settings.model_custom_params_data_augmentation)
    except VisionError:
        return {}
    if not settings.data_augmentation:
        return {}
    paths, listed = [picture.path for picture in evaluation.predictions.pictures], set(store.paths())
    chosen = [path for path in paths[:: max(1, len(paths) // _AUGMENTED)] if path in listed][:_AUGMENTED]
    size = replace(training.model.preprocessing, width=SIDE, height=SIDE)
    rows: list[list[Thumbnail]] = []
    for picture in read(store, chosen, size):
        if picture.pixels is not None:
            copies = augment(picture.pixels, _COPIES, plan, f"{settings.random_seed}:{picture.digest}")
            rows.append([encode(picture.pixels), *(encode(pixels) for pixels in copies)])
    return {"plan": str(plan), "copies": settings.n_augmentation, "rows": rows} if rows else {}


def _verdicts(pictures: Sequence[Prediction]) -> list[tuple[str, int, float]]:
    """Return verdicts with their number of pictures and the accuracy on these."""
    counts = Counter(picture.verdict for picture in pictures if picture.verdict)
    right = Counter(picture.verdict for picture in pictures if picture.right)
    return [(verdict, count, right[verdict] / count) for verdict, count in counts.most_common()]
