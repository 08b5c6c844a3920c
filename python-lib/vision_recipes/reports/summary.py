"""The summary in words: what a reader should take away, each sentence from a number of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from vision_recipes.reports.confusion import ConfusionMatrix
from vision_recipes.reports.metric_rows import Row, confidences
from vision_recipes.reports.predictions import LabelledPredictions
from vision_recipes.reports.rendering import plain

_CONFIDENT = 0.9
_SMALL = 100
_LABEL = 60
_MISCALIBRATED, _BIASED = 0.05, 0.03


def summarise(evaluated: LabelledPredictions, rows: Sequence[Row], matrix: ConfusionMatrix) -> Iterator[str]:
    """Yield sentences, the most important first."""
    pictures = evaluated.pictures
    overall = {row["metric"]: row["value"] for row in rows if not row["class"] and not row["slice_column"]}
    count, right = len(pictures), sum(picture.right for picture in pictures)
    yield (
        f"Accuracy {overall['accuracy']:.1%}: {right:,} of {_pictures(count)} are predicted correctly. On similar "
        f"pictures, expect {overall['accuracy_low']:.0%} to {overall['accuracy_high']:.0%} (95% confidence interval)."
    )
    label, most = Counter(picture.truth for picture in pictures).most_common(1)[0]
    if matrix.classes > 1 and most < count:
        yield f"Baseline: always predicting “{plain(label, _LABEL)}” would have an accuracy of {most / count:.0%}."
    if matrix.pairs:
        pair = matrix.pairs[0]
        yield (
            f"Most common confusion: {_pictures(pair.count)} of “{plain(pair.truth, _LABEL)}” predicted as "
            f"“{plain(pair.predicted, _LABEL)}”, {pair.fraction:.0%} of that class."
        )
    yield from _hardest(rows)
    yield from _confidence(evaluated, overall)
    if count < _SMALL:
        yield f"With only {_pictures(count)}, these metrics are rough estimates, those of single classes even more so."
    if evaluated.rejected:
        yield f"{_pictures(evaluated.rejected)} could not be scored; the reasons are listed under “Unreadable files”."
    if evaluated.without_truth:
        yield f"{_pictures(evaluated.without_truth)} without a true label were left out of all metrics."


def _hardest(rows: Sequence[Row]) -> Iterator[str]:
    recalls = [row for row in rows if row["metric"] == "recall" and row["support"]]
    worst = min(recalls, key=lambda row: row["value"], default=None)
    if worst and len(recalls) > 2 and worst["value"] < 1:
        yield (
            f"Hardest class: “{plain(worst['class'], _LABEL)}”, with {worst['value']:.0%} of its "
            f"{_pictures(worst['support'])} predicted correctly."
        )


def _confidence(evaluated: LabelledPredictions, overall: Mapping[str, float | None]) -> Iterator[str]:
    probabilities, right = confidences(evaluated.pictures)
    confident = right[probabilities >= _CONFIDENT]
    if len(confident):
        yield (
            f"Where its confidence is at least {_CONFIDENT:.0%} ({_pictures(len(confident))}), "
            f"the model is right in {confident.mean():.0%}."
        )
    error, accuracy = overall.get("calibration_error"), overall["accuracy"]
    if error is None or accuracy is None:
        return
    mean = float(probabilities.mean())
    means = f"mean confidence {mean:.0%}, accuracy {accuracy:.0%}."
    if error <= _MISCALIBRATED:
        yield f"The model is well calibrated: {means}"
    elif abs(mean - accuracy) < _BIASED:
        yield f"Probabilities are off by {error:.0%} on average, some too high and some too low."
    else:
        yield f"The model is {'overconfident' if mean > accuracy else 'underconfident'}: {means}"


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"
