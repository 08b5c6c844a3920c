"""The summary in words: how good the model is, what it confuses, what would help; each sentence from a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.metrics import expected_right
from vision_recipes.reports.advice import advise
from vision_recipes.reports.confusion import Cell, ConfusionMatrix
from vision_recipes.reports.metric_rows import confidences
from vision_recipes.reports.predictions import LabelledPredictions
from vision_recipes.reports.rendering import plain
from vision_recipes.reports.training_record import TrainingRecord
from vision_recipes.training.outcome import choices, is_number
from vision_recipes.wording import counted, percent

_CONFIDENT = 0.9
_LABEL = 60
_CONFUSIONS, _NEXT = 3, 100
_MISCALIBRATED, _MANY, _FEW, _CERTAIN = 0.05, 500, 30, 2.0
"""The calibration error worth a sentence, the pictures it takes to measure it, the fewest that say anything about the
confidence, and the standard errors of a bias."""


@dataclass(frozen=True)
class Summary:
    """What to take away: the result, how good the model will be on new pictures, its confusions, advice, and notes."""

    result: str
    outlook: str
    confusions: Sequence[Cell]
    advice: Sequence[str]
    notes: Sequence[str]


def summarise(
    evaluated: LabelledPredictions,
    overall: Mapping[str, float | None],
    matrix: ConfusionMatrix,
    training: TrainingRecord | None = None,
    *,
    held_out: bool = False,
) -> Summary:
    """Return the summary; `overall` are the metrics of all pictures, `held_out` those of the training's validation."""
    count, right = len(evaluated.pictures), sum(picture.right for picture in evaluated.pictures)
    notes = [*_baseline(evaluated, matrix), *_confidence(evaluated, overall), *_left_out(evaluated)]
    if training is not None:
        notes += _training(training, held_out)
    return Summary(
        f"{right:,} of {counted(count, 'picture')} {'gets' if count == 1 else 'get'} the right label (accuracy).",
        _outlook(right, count, overall),
        matrix.pairs[:_CONFUSIONS],
        [*advise(evaluated.pictures, matrix, training.class_sizes if training else {}), *_disputed(training)],
        notes,
    )


def _disputed(training: TrainingRecord | None) -> Iterator[str]:
    pairs = [row for row in training.duplicates if row.get("label") != row.get("other_label")] if training else []
    if pairs:
        yield (
            f"Look at {counted(len(pairs), 'pair')} of nearly the same training pictures under “Data quality”: "
            f"{'its' if len(pairs) == 1 else 'their'} labels differ."
        )


def _outlook(right: int, count: int, overall: Mapping[str, float | None]) -> str:
    low, high = expected_right(right, count, _NEXT)
    return (
        f"On all pictures like these, the accuracy is between {percent(overall['accuracy_low'])} and "
        f"{percent(overall['accuracy_high'])} (95 % confidence interval, from {counted(count, 'picture')}). "
        f"Of the next {_NEXT}, expect {low} to {high} to be right (95 % prediction interval)."
    )


def _baseline(evaluated: LabelledPredictions, matrix: ConfusionMatrix) -> Iterator[str]:
    label, most = Counter(picture.truth for picture in evaluated.pictures).most_common(1)[0]
    if matrix.classes > 1 and most < len(evaluated.pictures):
        share = most / len(evaluated.pictures)
        always = f"always answering “{plain(label, _LABEL)}”"
        yield f"For comparison: {always} would be right for {percent(share)} of the pictures."


def _confidence(evaluated: LabelledPredictions, overall: Mapping[str, float | None]) -> Iterator[str]:
    probabilities, right = confidences(evaluated.pictures)
    confident = right[probabilities >= _CONFIDENT]
    if len(confident):
        agreed = f"{int(confident.sum()):,} {'is' if confident.sum() == 1 else 'are'} right"
        yield (
            f"Of the {counted(len(confident), 'picture')} with a confidence of at least {100 * _CONFIDENT:.0f} %, "
            f"{agreed} ({percent(float(confident.mean()))})."
        )
    error = overall.get("calibration_error")
    if error is None:
        return
    mean, accuracy = float(probabilities.mean()), float(right.mean())
    chance = float(np.sqrt((probabilities * (1 - probabilities)).sum())) / len(right)
    means = f"{percent(mean)} on average, where {percent(accuracy)} are right"
    if len(right) < _FEW:
        yield (
            f"Whether its confidence can be trusted is not known yet: {counted(len(right), 'picture')} "
            f"{'is' if len(right) == 1 else 'are'} too few to tell; that takes at least {_FEW}."
        )
    elif abs(mean - accuracy) > max(_CERTAIN * chance, 0.01):
        yield f"Its confidence is too {'high' if mean > accuracy else 'low'}: {means}."
    elif error > _MISCALIBRATED and len(right) >= _MANY:
        yield f"Its confidence is off by {percent(error)} on average, sometimes too high and sometimes too low."
    else:
        apart = "; chance explains the difference" if percent(mean) != percent(accuracy) else ""
        yield f"Its confidence can be taken at its word: {means}{apart}."


def _left_out(evaluated: LabelledPredictions) -> Iterator[str]:
    for count, why in (
        (evaluated.rejected, "could not be scored; the reasons are listed under “Unreadable files”"),
        (evaluated.without_truth, "without a true label were left out of all metrics"),
    ):
        if count:
            yield f"{counted(count, 'picture')} {why}."


def _training(training: TrainingRecord, held_out: bool) -> Iterator[str]:
    """Yield what the training says of its choices, and of its own measurements."""
    for sentence in choices(training.metrics):
        yield f"{sentence[:1].upper()}{sentence[1:]}."
    if held_out and any(stage.unit == "epochs" for stage in training.stages):
        yield "The best epoch was chosen by these very pictures, so the accuracy may be slightly too high."
    verdict = training.metrics.get("verdict")
    fractions = [verdict.get(name) for name in ("known", "precision_of_known")] if isinstance(verdict, Mapping) else []
    if held_out and fractions and all(is_number(share, 1) for share in fractions):
        yield (
            f"Verdict: {percent(fractions[0])} of the validation pictures are “known”, and {percent(fractions[1])} of "
            "these get the right label. The rest are “unsure” or “unknown”: between classes, or unlike the training "
            "pictures, so a person should look at them."
        )
    test = training.side("test")
    if held_out and test:
        interval = f"95 % confidence interval {percent(test['accuracy_low'])} to {percent(test['accuracy_high'])}"
        yield (
            f"On {counted(test['pictures'], 'test picture')}, which took no part in the training, the accuracy is "
            f"{percent(test['accuracy'])} ({interval})."
        )
