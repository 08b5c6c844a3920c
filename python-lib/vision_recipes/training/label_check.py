"""A row for each labelled picture: likely label errors, near-duplicates and outliers."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vision_recipes.dataset.duplicates import Pair
from vision_recipes.dataset.label_decisions import DROP, RELABEL
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.errors import LabelsError
from vision_recipes.training.blas_threads import blas_threads
from vision_recipes.training.label_issues import LabelIssues, Neighbours, find_label_issues, find_neighbours
from vision_recipes.training_settings import CheckLabelsSettings
from vision_recipes.wording import counted, percent

log = logging.getLogger("vision_recipes")

WRONG, CONFLICT, COPY, OUTLIER, UNREADABLE = "wrong_label", "conflicting_copy", "copy", "outlier", "unreadable"
_MIN_NEIGHBOURS = 10
_PROBABLY = 0.5
_WEAK_POWER = 0.75


def check_rows(
    images: LabelledImages, pairs: Sequence[Pair], unreadable: Sequence[tuple[str, str]], settings: CheckLabelsSettings
) -> list[dict[str, Any]]:
    """Return rows (report_columns.CHECKED), the most suspicious first; `unreadable` pictures (path, label) come last.

    `pairs` are the near-duplicates among the images, whose `groups` hold them together. Raises LabelsError for fewer
    than three pictures or two classes.
    """
    targets, labels = images.targets, images.labels
    present = sorted(set(labels))
    if len(present) < 2 or len(images) < 3:
        raise LabelsError(
            f"{counted(len(images), 'usable picture has', 'usable pictures have')} {counted(len(present), 'label')} "
            f"({', '.join(map(repr, present[:5]))}); checking labels takes at least two classes and three pictures."
        )
    with blas_threads(2.0 * images.features.size * len(images.classes)):
        near, label_issues = _judged(images, settings)
    issues, suspicion = _issues(label_issues, near, pairs, targets)
    decision = {"relabel": RELABEL, "drop": DROP}.get(settings.on_wrong_label, "")
    rows = [
        {
            "images": images.paths[row],
            "label": labels[row],
            "suggested_label": images.classes[label_issues.suggested[row]],
            "suspicion": round(float(suspicion[row]), 6),
            "issue": issues[row],
            "probability": round(float(label_issues.probability[row]), 6),
            "strangeness": round(float(near.outlier_score[row]), 4),
            "neighbours": _neighbours(images, near, row, settings.nb_neighbours),
            "decision": decision if issues[row] == WRONG else "",
            "rank": rank,
        }
        for rank, row in enumerate(np.argsort(-suspicion, kind="stable"), start=1)
    ]
    counts = Counter(issues)
    log.info(
        "checked %s: %s probably wrong (a suspicion of 0.5 or more); %s with different labels, %d with the same; %s",
        counted(len(images), "label"),
        counted(counts[WRONG], "is", "are"),
        counted(counts[CONFLICT], "near-duplicate"),
        counts[COPY],
        counted(counts[OUTLIER], "outlier"),
    )
    _report(label_issues, float((suspicion - label_issues.suspicion).sum()))
    return rows + [
        {"images": path, "label": label, "issue": UNREADABLE, "rank": rank}
        for rank, (path, label) in enumerate(unreadable, start=len(images) + 1)
    ]


def _judged(images: LabelledImages, settings: CheckLabelsSettings) -> tuple[Neighbours, LabelIssues]:
    """Return neighbours and label issues by the features that explain the labels better: last layer or several."""
    found = []
    for features in (images.features, images.several):
        if features is not None:
            seen = replace(images, features=features, several=None)
            near = find_neighbours(features, max(settings.nb_neighbours, _MIN_NEIGHBOURS), settings.random_seed)
            found.append((near, find_label_issues(seen, near, settings.random_seed)))
    best = max(found, key=lambda pair: pair[1].fitness)
    if len(found) > 1:
        log.info(
            "the features of %s tell more about the labels", "the last layer" if best is found[0] else "several layers"
        )
    return best


def _issues(
    label_issues: LabelIssues, near: Neighbours, pairs: Sequence[Pair], targets: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Return the most serious issue of each row, empty for none, and its suspicion."""
    suspicion = label_issues.suspicion.copy()
    issues = np.where(near.outliers, OUTLIER, "").astype(object)
    for pair in pairs:
        if targets[pair.one] == targets[pair.other]:
            issues[pair.other] = COPY
    for pair in pairs:
        if targets[pair.one] != targets[pair.other]:
            rows = [pair.one, pair.other]
            issues[rows], suspicion[rows] = CONFLICT, np.maximum(suspicion[rows], _one_of_two(label_issues, rows))
    issues[(suspicion >= _PROBABLY) & (label_issues.suggested != targets)] = WRONG
    return [str(issue) for issue in issues], suspicion


def _one_of_two(label_issues: LabelIssues, rows: Sequence[int]) -> np.ndarray:
    """Return the suspicions of two rows that show the same thing under different labels: one of them is wrong."""
    one, other = np.clip(label_issues.suspicion[list(rows)], 1e-6, 1 - 1e-6)
    only_one, only_other = one * (1 - other), other * (1 - one)
    return np.array([only_one, only_other]) / (only_one + only_other)


def _report(label_issues: LabelIssues, by_copies: float) -> None:
    """Log how many labels are expected to be wrong, and how sure the network lets one be.

    `by_copies` is how many more near-duplicates show to be wrong.
    """
    found, checked = label_issues.assessment, int(label_issues.checked.sum())
    if checked < len(label_issues.checked):
        log.warning(
            "%s be checked: no other picture of the class is there to compare with",
            counted(len(label_issues.checked) - checked, "label cannot", "labels cannot"),
        )
    if found is None:
        return
    wrong = found.wrong + by_copies
    log.info(
        "expected number of wrong labels: %.1f of %d (%s), with a probability of 90 %% between %.0f and %.0f",
        *(wrong, checked, percent(wrong / checked), np.floor(found.low + by_copies), np.ceil(found.high + by_copies)),
    )
    shown = counted(round(100 * found.power), "is", "are")
    if found.power < _WEAK_POWER:
        log.warning(
            "of 100 labels swapped on purpose, only %s more suspicious than 95 %% of the right ones: this network "
            "tells these classes apart too poorly, or there are too few pictures, to find most wrong labels. Connect "
            "another network as model_folder, or add pictures.",
            shown,
        )
    else:
        log.info("of 100 labels swapped on purpose, %s more suspicious than 95 %% of the right ones", shown)


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
