"""Every labelled picture with what is doubtful about it: its label, a copy, its oddness."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_recipes.dataset.duplicates import Pair, find_duplicates
from vision_recipes.dataset.label_decisions import DROP, RELABEL
from vision_recipes.dataset.splits import linked_by, merge_groups
from vision_recipes.errors import LabelsError
from vision_recipes.processors import processors
from vision_recipes.settings import CheckLabelsSettings
from vision_recipes.training.examples import Examples
from vision_recipes.training.features import Usable
from vision_recipes.training.label_issues import Doubts, Neighbours, find_doubts, find_neighbours
from vision_recipes.training.lessons import Wanted

log = logging.getLogger("vision_recipes")

WRONG, CONFLICT, COPY, OUTLIER, UNREADABLE = "wrong_label", "conflicting_copy", "copy", "outlier", "unreadable"
_VOTERS = 10
_WORTH_THREADS = 10_000_000
_CERTAIN = 0.8
_CONFLICTING = 0.5
"""A picture whose copy bears another label is at least this suspicious: one of both is wrong."""


def check_up(usable: Usable, wanted: Wanted, settings: CheckLabelsSettings) -> list[dict[str, Any]]:
    """Return rows (report_columns.CHECKED), the most suspicious first, pictures that cannot be read last."""
    from threadpoolctl import threadpool_limits

    pictures = usable.pictures
    labels = tuple(sorted({str(picture.label) for picture in pictures}))
    if len(labels) < 2 or len(pictures) < 3:
        raise LabelsError(
            f"{len(pictures)} usable pictures bear {len(labels)} different labels "
            f"({', '.join(map(repr, labels[:5]))}); to doubt a label there must be two classes and three pictures."
        )
    numbers = {label: number for number, label in enumerate(labels)}
    targets = np.array([numbers[str(picture.label)] for picture in pictures], np.int64)
    pairs = find_duplicates(usable.features, [picture.digest for picture in pictures], settings.random_seed)
    told = linked_by([wanted.group.get(picture.path) for picture in pictures])
    groups = merge_groups(len(pictures), [(pair.one, pair.other) for pair in pairs], told)
    count = len(pictures)
    rows = Examples(
        usable.features, np.empty((count, 0), np.float32), targets, np.ones(count, np.float32), groups, len(labels)
    )
    with threadpool_limits(processors() if usable.features.size > _WORTH_THREADS else 1):
        near = find_neighbours(usable.features, max(settings.nb_neighbours, _VOTERS), settings.random_seed)
        doubts = find_doubts(rows, near, settings.random_seed)
    issues, suspicion = _issues(doubts, near, pairs, targets)
    order = np.argsort(-suspicion, kind="stable")
    found = [
        {
            "images": pictures[row].path,
            "label": labels[targets[row]],
            "suggested_label": labels[doubts.suggested[row]],
            "suspicion": round(float(suspicion[row]), 6),
            "issue": issues[row],
            "probability": round(float(doubts.shares[row, targets[row]]), 6),
            "strangeness": round(float(near.strangeness[row]), 4),
            "neighbours": _neighbours(near, row, usable, settings.nb_neighbours),
            "decision": {"relabel": RELABEL, "drop": DROP}.get(settings.on_wrong_label, "")
            if issues[row] == WRONG
            else "",
            "rank": rank,
        }
        for rank, row in enumerate(order, start=1)
    ]
    counts = Counter(issue for issue in issues if issue)
    log.info(
        "of %d labels %d look wrong; %d copies bear different labels, %d are plain copies, %d pictures are unlike all",
        count,
        *(counts[issue] for issue in (WRONG, CONFLICT, COPY, OUTLIER)),
    )
    return found + [
        {"images": picture.path, "label": picture.label, "issue": UNREADABLE, "rank": count + place}
        for place, picture in enumerate(usable.rejected, start=1)
    ]


def _issues(
    doubts: Doubts, near: Neighbours, pairs: Sequence[Pair], targets: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Return the issue of each row, the weightiest that it has, and its suspicion."""
    suspicion = doubts.suspicion.copy()
    issues = np.where(near.strange, OUTLIER, "").astype(object)
    for pair in pairs:
        if targets[pair.one] == targets[pair.other]:
            issues[pair.other] = COPY
    for pair in pairs:
        if targets[pair.one] != targets[pair.other]:
            for row in (pair.one, pair.other):
                issues[row] = CONFLICT
                suspicion[row] = max(suspicion[row], _CONFLICTING)
    differs = doubts.suggested != targets
    issues[(doubts.wrong | (suspicion >= _CERTAIN)) & differs] = WRONG
    return [str(issue) for issue in issues], suspicion


def _neighbours(near: Neighbours, row: int, usable: Usable, count: int) -> str:
    told = [
        {
            "path": usable.pictures[other].path,
            "label": usable.pictures[other].label,
            "likeness": round(float(likeness), 4),
        }
        for other, likeness in zip(near.rows[row][:count], near.likeness[row][:count], strict=True)
    ]
    return json.dumps(told, ensure_ascii=False)
