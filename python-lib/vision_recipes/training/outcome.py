"""What a training came to, in sentences for the log and the model card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import SIDES, TRAIN, VALID
from vision_recipes.training.reference_pictures import described
from vision_recipes.training.run_reports import Run, side_metrics
from vision_recipes.wording import counted, percent

_SHOWN, _LONGEST = 3, 60
FEATURES = {"last": "the last layer alone", "several": "several layers"}
COLUMNS = {
    "picture_only": "the picture only",
    "additive": "picture and columns added up",
    "interactions": "picture and columns, with their interactions",
    "hidden": "picture and columns through a hidden layer",
}
LAST_LAYERS = {"linear": "linear", "kernel": "a kernel machine"}
"""The choices that metrics.json names, in words."""


def outcome(run: Run) -> Iterator[str]:
    """Yield sentences, without full stop: accuracy, what is confused most, what was chosen."""
    for side, logits in run.trained.logits.items():
        yield accuracy_sentence(side_metrics(logits, run.images.subset(side)), SIDES[side])
    if VALID in run.trained.logits:
        yield _confusions(run.trained.logits[VALID], run.images.subset(VALID))
    yield from choices(run.trained.metrics)
    if run.trained.reference is not None:
        yield described(run.trained.reference)
    if run.images.columns:
        names = ", ".join(dict.fromkeys(column.name for column in run.images.columns))
        yield f"scoring with this model takes a dataset with the column {names} as well: connect it as extra_dataset"


def describe(run: Run) -> str:
    """Return what the model card says of the training, in Markdown: a sentence, and a list."""
    images = run.images
    first = (
        f"Retrained on {counted(len(images.rows(TRAIN)), 'picture')} of "
        f"{counted(len(images.classes), 'class', 'classes')}: {run.trained.how}."
    )
    points = [f"- {said[:1].upper()}{said[1:]}." for said in (*outcome(run), *run.prepared.remarks)]
    return "\n".join(" ".join(line.replace("<", "&lt;").split()) for line in (first, "", *points))


def accuracy_sentence(figures: Mapping[str, Any], side: str) -> str:
    """Return the accuracy on a side of the split, with its interval."""
    right = round(figures["accuracy"] * figures["pictures"])
    return (
        f"accuracy on {counted(figures['pictures'], f'{side} picture')}: {percent(figures['accuracy'])} "
        f"({right:,} right); on all pictures like these it is between {percent(figures['accuracy_low'])} and "
        f"{percent(figures['accuracy_high'])} (95 % confidence interval)"
    )


def choices(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield what metrics.json says of the choice of features, the last layer and the formula for the extra columns.

    The metrics may come from an untrusted source: what is not as the training writes it is left out.
    """
    for part, names, title in (
        ("features", FEATURES, "features"),
        ("last_layer", LAST_LAYERS, "last layer"),
        ("columns", COLUMNS, "extra columns"),
    ):
        found = metrics.get(part)
        chosen = found.get("chosen") if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping) or not isinstance(chosen, str) or chosen not in names:
            continue
        given = {name: found.get(f"accuracy_{name}") for name in names}
        compared = {name: value for name, value in given.items() if is_number(value, 1)}
        sentence = f"{title}: {names[chosen]}"
        if chosen in compared and len(compared) > 1:
            others = ", ".join(
                f"{percent(value)} with {names[name]}" for name, value in compared.items() if name != chosen
            )
            sentence += f" ({percent(compared[chosen])} right in cross-validation on the training pictures; {others})"
        yield sentence


def is_number(value: Any, most: float) -> bool:
    """Return whether what a JSON file holds is a number from 0 to `most`."""
    return isinstance(value, int | float) and 0 <= value <= most


def _confusions(logits: np.ndarray, images: LabelledImages) -> str:
    """Return the pairs of classes that are confused most often."""
    predicted, names = logits.argmax(axis=1), images.classes
    support = np.bincount(images.targets, minlength=len(names))
    wrong = images.targets != predicted
    pairs = Counter(zip(images.targets[wrong].tolist(), predicted[wrong].tolist(), strict=True))
    if not pairs:
        every = counted(len(images), "picture is", "pictures are")
        return f"no confusion: {every if len(images) == 1 else f'all {every}'} recognised"
    shown = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
    return "most often confused: " + ", ".join(
        f"{_short(names[truth])} taken for {_short(names[guess])} ({count} of {support[truth]})"
        for (truth, guess), count in shown
    )


def _short(label: str) -> str:
    """Return a label on one line, without characters that control a terminal."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in label)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
