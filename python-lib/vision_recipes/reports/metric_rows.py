"""How good predictions are, as rows of a metrics dataset: scikit-learn's figures, without its slow import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Any

import numpy as np

from vision_recipes.metrics import accuracy_interval, calibration_error
from vision_recipes.reports.predictions import LabelledPredictions, Prediction

TOP = 3
ROUNDING = 1e-4
SIX_DIGITS = 5e-7
_SMALLEST = float(np.finfo(np.float64).eps)
Row = dict[str, Any]


def metric_row(metric: str, value: float | None, support: float, label: str = "", **columns: str) -> Row:
    """Return one row (METRICS) on a class, on all if `label` is empty; `columns` are the other texts."""
    number = None if value is None else float(value)
    row = {"metric": metric, "class": label, "predicted": "", "value": number, "support": int(support)}
    return row | {"slice_column": "", "slice": ""} | columns


def metric_rows(evaluated: LabelledPredictions) -> Iterator[Row]:
    """Yield rows (METRICS), one per metric and class: for all, then each class, then confusion counts.

    Probabilities of labels that classify did not write are unknown. Where a metric needs one, its value is None, and a
    row `…_at_least` has its lower bound.
    """
    pictures = evaluated.pictures
    yield from _counts(evaluated)
    for name, value in accuracy_metrics(pictures).items():
        yield metric_row(name, value, len(pictures))
    yield from _top(pictures)
    yield from _log_loss(pictures)
    yield from _calibration(pictures)
    yield from _per_class(pictures)
    yield from _confusion(pictures)


@dataclass(frozen=True)
class ClassCounts:
    """The pictures of a class, the predictions of it, and how many are both."""

    support: int
    predicted: int
    hits: int

    @property
    def recall(self) -> float:
        """The fraction of the pictures that are predicted correctly, 0 without any."""
        return self.hits / self.support if self.support else 0.0

    @property
    def precision(self) -> float:
        """The fraction of the predictions that are correct, 0 without any."""
        return self.hits / self.predicted if self.predicted else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of recall and precision."""
        return 2 * self.hits / (self.support + self.predicted)


def class_counts(pictures: Sequence[Prediction]) -> dict[str, ClassCounts]:
    """Return the counts of each label that is true or predicted somewhere, by label, sorted."""
    truths, predicted = map(Counter, _labels(pictures))
    hits = Counter(picture.label for picture in pictures if picture.right)
    return {label: ClassCounts(truths[label], predicted[label], hits[label]) for label in sorted(truths | predicted)}


def accuracy_metrics(pictures: Sequence[Prediction]) -> dict[str, float]:
    """Return accuracy, its 95 % interval, balanced accuracy (the mean recall) and macro F1 by metric name."""
    counts = class_counts(pictures).values()
    right = sum(count.hits for count in counts)
    low, high = accuracy_interval(right, len(pictures))
    return {
        "accuracy": right / len(pictures),
        "accuracy_low": low,
        "accuracy_high": high,
        "balanced_accuracy": fmean(count.recall for count in counts if count.support),
        "macro_f1": fmean(count.f1 for count in counts),
    }


def _labels(pictures: Sequence[Prediction]) -> tuple[list[str], list[str]]:
    return [str(picture.truth) for picture in pictures], [picture.label for picture in pictures]


def _counts(evaluated: LabelledPredictions) -> Iterator[Row]:
    every = len(evaluated.pictures) + evaluated.without_truth + evaluated.rejected
    yield metric_row("n_scored", len(evaluated.pictures), every)
    for field in fields(evaluated)[1:]:
        yield metric_row(f"n_{field.name}", getattr(evaluated, field.name), every)


def _top(pictures: Sequence[Prediction]) -> Iterator[Row]:
    """Yield top-3 accuracy; it is unknown when a row has fewer labels and the true one is not among them."""
    fewest = min(TOP, _label_count(pictures) or TOP)
    hits = [picture.truth in list(picture.probabilities)[:TOP] or picture.right for picture in pictures]
    unknown = any(not hit and len(picture.probabilities) < fewest for picture, hit in zip(pictures, hits, strict=True))
    yield from _bounded("top3_accuracy", sum(hits) / len(pictures), len(pictures), unknown=unknown)


def _log_loss(pictures: Sequence[Prediction]) -> Iterator[Row]:
    """Yield the log loss: the mean of -log of the true label's probability, clipped as scikit-learn does."""
    complete = _label_count(pictures) is not None
    given = [picture.probabilities.get(str(picture.truth)) for picture in pictures]
    highest = [0.0] * len(pictures) if complete else _highest_unlisted(pictures)
    upper = [bound if probability is None else probability for probability, bound in zip(given, highest, strict=True)]
    loss = -np.log(np.clip(np.array(upper, np.float64), _SMALLEST, 1 - _SMALLEST)).mean()
    yield from _bounded("log_loss", loss, len(pictures), unknown=not complete and None in given)


def _bounded(metric: str, value: float, support: int, *, unknown: bool) -> Iterator[Row]:
    yield metric_row(metric, None if unknown else value, support)
    if unknown:
        yield metric_row(f"{metric}_at_least", value, support)


def confidences(pictures: Sequence[Prediction]) -> tuple[np.ndarray, np.ndarray]:
    """Return the predicted labels' probabilities float64 (n,) where they are known, and 1.0 or 0.0 (n,) for right."""
    known = [(picture.probability, picture.right) for picture in pictures if picture.probability is not None]
    probabilities, right = np.array(known, np.float64).reshape(-1, 2).T
    return probabilities, right


def _calibration(pictures: Sequence[Prediction]) -> Iterator[Row]:
    probabilities, right = confidences(pictures)
    error = calibration_error(probabilities, right) if len(right) else None
    yield metric_row("calibration_error", error, len(right))


def _per_class(pictures: Sequence[Prediction]) -> Iterator[Row]:
    for label, count in class_counts(pictures).items():
        yield metric_row("precision", count.precision, count.predicted, label)
        for name, value in (("recall", count.recall), ("f1", count.f1), ("support", count.support)):
            yield metric_row(name, value, count.support, label)


def _confusion(pictures: Sequence[Prediction]) -> Iterator[Row]:
    pairs = Counter(zip(*_labels(pictures), strict=True))
    support = Counter(str(picture.truth) for picture in pictures)
    for (truth, predicted), count in sorted(pairs.items()):
        yield metric_row("confusion", count, support[truth], truth, predicted=predicted)


def _label_count(pictures: Sequence[Prediction]) -> int | None:
    """Return how many labels the model has when every row lists all of them, adding up to 1, else None."""
    labels = {label for picture in pictures for label in picture.probabilities}
    complete = all(
        len(picture.probabilities) == len(labels) and abs(sum(picture.probabilities.values()) - 1) <= ROUNDING
        for picture in pictures
    )
    return len(labels) if len(labels) > 1 and complete else None


def _highest_unlisted(pictures: Sequence[Prediction]) -> list[float]:
    """Return for each picture the highest probability that a label which is not listed can have.

    It is at most the lowest listed one, and at most what these leave of 1 (unless they add up to more, as with sigmoid
    outputs). Listed probabilities are rounded to six digits, so slightly more than that may be left.
    """
    sums = [sum(picture.probabilities.values()) for picture in pictures]
    distribution = all(total <= 1 + ROUNDING for total in sums)
    return [
        min(
            1.0 if picture.probability is None else picture.probability,
            max(0.0, 1 - total) + SIX_DIGITS * len(picture.probabilities) if distribution else 1.0,
            *picture.probabilities.values(),
        )
        for picture, total in zip(pictures, sums, strict=True)
    ]
