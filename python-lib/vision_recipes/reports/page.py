"""The page to look at: one HTML file with everything in it, whatever the number of pictures."""

from __future__ import annotations

import datetime
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.pictures import REASONS
from vision_recipes.reports import augmented, plots, reproduction, selection, summary
from vision_recipes.reports.comparison import Comparison
from vision_recipes.reports.confusion import Matrix, draw_matrix
from vision_recipes.reports.label_issues import Suspicion
from vision_recipes.reports.metrics import Row
from vision_recipes.reports.predictions import Joined, Prediction
from vision_recipes.reports.rendering import render
from vision_recipes.reports.slices import Slice
from vision_recipes.reports.thumbnails import Thumbnail, make_thumbnails
from vision_recipes.reports.training_record import Record
from vision_recipes.stores import Store

log = logging.getLogger("vision_recipes")

_WORST, _LEAST, _SUSPECTS, _PAIRS, _DISAGREEMENTS = 12, 12, 12, 8, 8
_CLASSES, _FILES = 200, 40


@dataclass(frozen=True)
class Evidence:
    """All that a page may show; what was not connected is None or empty.

    `rejected` holds the reason of each picture without a prediction. `checked` are suspicions of the recipe
    vision-check-labels, whose pictures lie in `checked_pictures`.
    """

    name: str
    joined: Joined
    rejected: Mapping[str, str]
    rows: Sequence[Row]
    slices: Sequence[Slice] = ()
    comparison: Comparison | None = None
    other_name: str = ""
    record: Record | None = None
    pictures: Store | None = None
    checked: Sequence[Suspicion] = ()
    checked_pictures: Store | None = None


@dataclass(frozen=True)
class _Shown:
    """What was chosen to be shown."""

    matrix: Matrix
    worst: Sequence[Prediction]
    least: Sequence[Prediction]
    suspects: Sequence[Prediction]
    disagreements: Sequence[tuple[Prediction, Prediction]]
    checked: Sequence[Suspicion] = field(default=())

    def paths(self) -> Iterator[str]:
        for pictures in (self.matrix.pictures(), self.worst, self.least):
            yield from (picture.path for picture in pictures)
        yield from (first.path for first, _ in self.disagreements)


def draw_page(evidence: Evidence) -> bytes:
    """Return the page as UTF-8."""
    pictures = evidence.joined.pictures
    shown = _Shown(
        draw_matrix(pictures),
        selection.worst_errors(pictures, _WORST),
        selection.least_certain(pictures, _LEAST),
        [] if evidence.checked else selection.likely_mislabelled(pictures, _SUSPECTS),
        evidence.comparison.disagreements[:_DISAGREEMENTS] if evidence.comparison else [],
        [suspicion for suspicion in evidence.checked if suspicion.issue][:_SUSPECTS],
    )
    thumbs = make_thumbnails(evidence.pictures, shown.paths())
    record = evidence.record
    whole = {row["metric"]: row for row in evidence.rows if not row["class"] and not row["slice_column"]}
    page = render(
        "page.html",
        {
            "title": f"How {record.model.name if record else evidence.name} did",
            "made": datetime.datetime.now().astimezone().strftime("%d %B %Y, %H:%M"),
            "evidence": evidence,
            "whole": whole,
            "summary": list(summary.tell(evidence.joined, evidence.rows, shown.matrix)),
            "shown": shown,
            "thumbs": thumbs,
            "checked_thumbs": _checked_thumbs(evidence, shown),
            "classes": _classes(evidence.rows),
            "class_count": shown.matrix.classes,
            "slices": _by_column(evidence.slices),
            "drawings": _drawings(pictures),
            "curves": _curves(record),
            "rejected": _rejected(evidence),
            "leaks": _leaks(evidence, thumbs),
            "pairs": _pairs(record),
            "augmented": augmented.samples(record, evidence.pictures, [picture.path for picture in pictures]),
            "verdicts": _verdicts(pictures),
            "settings": reproduction.settings(record),
            "versions": reproduction.versions(record),
            "command": reproduction.command(record),
        },
    )
    log.info("the page shows %d of %d pictures, %.1f MB", len(thumbs), len(pictures), len(page) / 1e6)
    return page


def _checked_thumbs(evidence: Evidence, shown: _Shown) -> dict[str, Thumbnail]:
    neighbours = [neighbour for suspicion in shown.checked for neighbour in suspicion.neighbours[:3]]
    paths = [suspicion.path for suspicion in shown.checked] + neighbours
    return make_thumbnails(evidence.checked_pictures or evidence.pictures, paths)


def _classes(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the figures per class, the lowest F1 first, at most _CLASSES of them."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["metric"] in ("precision", "recall", "f1", "support"):
            found.setdefault(row["class"], {"label": row["class"]})[row["metric"]] = row["value"]
            if row["metric"] == "precision":
                found[row["class"]]["guessed"] = row["support"]
    return sorted(found.values(), key=lambda figures: (figures["f1"], -figures["support"]))[:_CLASSES]


def _by_column(slices: Sequence[Slice]) -> dict[str, list[tuple[Slice, dict[str, float]]]]:
    found: dict[str, list[tuple[Slice, dict[str, float]]]] = {}
    for part in slices:
        found.setdefault(part.column, []).append((part, part.figures()))
    for parts in found.values():
        parts.sort(key=lambda pair: pair[1]["slice_accuracy"])
    return found


def _drawings(pictures: Sequence[Prediction]) -> list[Any]:
    told = [(picture.probability, picture.right) for picture in pictures if picture.probability is not None]
    if not told:
        return []
    probabilities, right = np.array(told, np.float64).T
    return [plots.draw_confidence(probabilities, right), plots.draw_calibration(probabilities, right)]


def _curves(record: Record | None) -> list[Any]:
    if record is None or not record.history:
        return []
    drawn = []
    for title, trained, judged in (("Accuracy", "accuracy", "val_accuracy"), ("Loss", "loss", "val_loss")):
        lines = [("training pictures", *record.curve(trained)), ("validation pictures", *record.curve(judged))]
        lines = [line for line in lines if line[1]]
        if lines:
            told = "; ".join(f"{name} from {ys[0]:.3g} to {ys[-1]:.3g}" for name, _, ys in lines)
            drawn.append(plots.draw_curves(lines, title, f"{title} over {len(record.history)} epochs: {told}."))
    return drawn


def _rejected(evidence: Evidence) -> dict[str, Any]:
    """Return reasons with their meaning and count, and the first files of the folder that was scored."""
    counts = Counter(evidence.rejected.values())
    trained = Counter(row.get("reason", "") for row in evidence.record.rejected) if evidence.record else Counter()
    reasons = [
        {"reason": reason, "meaning": REASONS.get(reason, ""), "scored": counts[reason], "trained": trained[reason]}
        for reason, _ in (counts + trained).most_common()
    ]
    return {"reasons": reasons, "files": list(evidence.rejected.items())[:_FILES], "count": len(evidence.rejected)}


def _leaks(evidence: Evidence, thumbs: Mapping[str, Thumbnail]) -> dict[str, Any]:
    """Return how many of the pictures looked at here, byte for byte, were trained on, and the first of them."""
    if evidence.record is None or not thumbs:
        return {}
    known = evidence.record.trained_on
    found = [(path, known[thumb.digest]) for path, thumb in thumbs.items() if thumb.digest in known]
    return {"looked": len(thumbs), "found": found[:_FILES], "count": len(found)} if known else {}


def _pairs(record: Record | None) -> dict[str, Any]:
    rows = record.duplicates if record else []
    across = [row for row in rows if row.get("split") != row.get("other_split")]
    differing = [row for row in rows if row.get("label") != row.get("other_label")]
    first = [*differing, *[row for row in across if row not in differing]]
    rest = [row for row in rows[: 2 * _PAIRS] if row not in first]
    return {"rows": [*first, *rest][:_PAIRS], "count": len(rows), "across": len(across), "differing": len(differing)}


def _verdicts(pictures: Sequence[Prediction]) -> list[tuple[str, int, float]]:
    parts = Counter(picture.verdict for picture in pictures if picture.verdict)
    right = Counter(picture.verdict for picture in pictures if picture.verdict and picture.right)
    return [(verdict, count, right[verdict] / count) for verdict, count in parts.most_common()]
