"""A row for each labelled picture: likely label errors, near-duplicates and outliers."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_recipes.dataset.duplicates import Pair
from vision_recipes.dataset.label_decisions import DROP, RELABEL
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.errors import LabelsError
from vision_recipes.processors import processors
from vision_recipes.settings import CheckLabelsSettings
from vision_recipes.training.label_issues import LabelIssues, Neighbours, find_label_issues, find_neighbours

log = logging.getLogger("vision_recipes")

WRONG, CONFLICT, COPY, OUTLIER, UNREADABLE = "wrong_label", "conflicting_copy", "copy", "outlier", "unreadable"
_MIN_NEIGHBOURS = 10
_WORTH_THREADS = 10_000_000
_CERTAIN = 0.8
_CONFLICTING = 0.5
"""The least suspicion of a picture whose near-duplicate has another label: one of the two is wrong."""


def check_rows(
    images: LabelledImages, pairs: Sequence[Pair], unreadable: Sequence[tuple[str, str]], settings: CheckLabelsSettings
) -> list[dict[str, Any]]:
    """Return rows (report_columns.CHECKED), the most suspicious first; `unreadable` pictures (path, label) come last.

    `pairs` are the near-duplicates among the images, whose `groups` hold them together. Raises LabelsError for fewer
    than three pictures or two classes.
    """
    from threadpoolctl import threadpool_limits

    targets, labels = images.targets, images.labels
    found = sorted(set(labels))
    if len(found) < 2 or len(images) < 3:
        raise LabelsError(
            f"{len(images)} usable pictures have {len(found)} different labels ({', '.join(map(repr, found[:5]))}); "
            "checking labels takes at least two classes and three pictures."
        )
    with threadpool_limits(processors() if images.features.size > _WORTH_THREADS else 1):
        near = find_neighbours(images.features, max(settings.nb_neighbours, _MIN_NEIGHBOURS), settings.random_seed)
        doubtful = find_label_issues(images, near, settings.random_seed)
    issues, suspicion = _issues(doubtful, near, pairs, targets)
    decision = {"relabel": RELABEL, "drop": DROP}.get(settings.on_wrong_label, "")
    rows = [
        {
            "images": images.paths[row],
            "label": labels[row],
            "suggested_label": images.classes[doubtful.suggested[row]],
            "suspicion": round(float(suspicion[row]), 6),
            "issue": issues[row],
            "probability": round(float(doubtful.probabilities[row, targets[row]]), 6),
            "strangeness": round(float(near.outlier_score[row]), 4),
            "neighbours": _neighbours(images, near, row, settings.nb_neighbours),
            "decision": decision if issues[row] == WRONG else "",
            "rank": rank,
        }
        for rank, row in enumerate(np.argsort(-suspicion, kind="stable"), start=1)
    ]
    counts = Counter(issues)
    log.info(
        "%d of %d labels are probably wrong; %d near-duplicates have different labels, %d the same; %d outliers",
        *(counts[WRONG], len(images), counts[CONFLICT], counts[COPY], counts[OUTLIER]),
    )
    return rows + [
        {"images": path, "label": label, "issue": UNREADABLE, "rank": rank}
        for rank, (path, label) in enumerate(unreadable, start=len(images) + 1)
    ]


def _issues(
    doubtful: LabelIssues, near: Neighbours, pairs: Sequence[Pair], targets: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Return the most serious issue of each row, empty for none, and its suspicion."""
    suspicion = doubtful.suspicion.copy()
    issues = np.where(near.outliers, OUTLIER, "").astype(object)
    for pair in pairs:
        if targets[pair.one] == targets[pair.other]:
            issues[pair.other] = COPY
    for pair in pairs:
        if targets[pair.one] != targets[pair.other]:
            rows = [pair.one, pair.other]
            issues[rows], suspicion[rows] = CONFLICT, np.maximum(suspicion[rows], _CONFLICTING)
    issues[(doubtful.wrong | (suspicion >= _CERTAIN)) & (doubtful.suggested != targets)] = WRONG
    return [str(issue) for issue in issues], suspicion


def _neighbours(images: LabelledImages, near: Neighbours, row: int, count: int) -> str:
    """Return the nearest neighbours as JSON, as the column `neighbours` holds them."""
    found = [
        {
            "path": images.paths[other],
            "label": images.classes[images.targets[other]],
            "likeness": round(float(cosine), 4),
        }
        for other, cosine in zip(near.rows[row][:count], near.similarity[row][:count], strict=True)
    ]
    return json.dumps(found, ensure_ascii=False)
