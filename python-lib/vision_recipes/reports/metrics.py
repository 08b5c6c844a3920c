"""How good predictions are, as rows of a metrics dataset; scikit-learn and SciPy compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from vision_recipes.reports.predictions import Joined, Prediction
from vision_recipes.training.ood import calibration_error

TOP = 3
ROUNDING = 1e-4
SIX_DIGITS = 5e-7
Row = dict[str, Any]


def measure(joined: Joined) -> Iterator[Row]:
    """Yield one row (rows.METRICS) per metric and class: the whole first, then each class, then the confusion counts.

    Probabilities of labels that classify did not keep are unknown. Where a metric needs one, its value is None, and a
    row `…_at_least` tells how large it is at least.
    """
    pictures = joined.pictures
    truths, guesses = [str(picture.truth) for picture in pictures], [picture.label for picture in pictures]
    yield from _counts(joined)
    yield from _overall(truths, guesses)
    yield from _top(pictures)
    yield from _loss(pictures)
    yield from _calibration(pictures)
    yield from _per_class(truths, guesses)
    yield from _confusion(truths, guesses)


def accuracy_interval(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share after Wilson (1927)."""
    from scipy.stats import binomtest

    interval = binomtest(right, count).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def _counts(joined: Joined) -> Iterator[Row]:
    pictures, rejected = len(joined.pictures) + joined.without_truth, joined.rejected
    for name, value in (
        ("n_scored", len(joined.pictures)),
        ("n_rejected", rejected),
        ("n_without_truth", joined.without_truth),
        ("n_without_prediction", joined.without_prediction),
        ("n_conflicting_truth", joined.conflicting_truth),
        ("n_repeated_truth", joined.repeated_truth),
        ("n_repeated_predictions", joined.repeated_predictions),
    ):
        yield _row(name, value, pictures + rejected)


def _overall(truths: Sequence[str], guesses: Sequence[str]) -> Iterator[Row]:
    from sklearn.metrics import accuracy_score, f1_score, recall_score

    count, right = len(truths), int(accuracy_score(truths, guesses, normalize=False))
    low, high = accuracy_interval(right, count)
    recall = recall_score(truths, guesses, labels=sorted(set(truths)), average="macro", zero_division=0.0)
    yield _row("accuracy", right / count, count)
    yield _row("accuracy_low", low, count)
    yield _row("accuracy_high", high, count)
    yield _row("balanced_accuracy", recall, count)
    yield _row("macro_f1", f1_score(truths, guesses, average="macro", zero_division=0.0), count)


def _top(pictures: Sequence[Prediction]) -> Iterator[Row]:
    """Yield top-3 accuracy; it is unknown when fewer labels were kept and the truth is not among them."""
    every = _every_label(pictures)
    inside = [picture.truth in list(picture.kept)[:TOP] or picture.truth == picture.label for picture in pictures]
    unknown = any(
        not found and len(picture.kept) < min(TOP, every or TOP)
        for picture, found in zip(pictures, inside, strict=True)
    )
    share = sum(inside) / len(pictures)
    yield _row("top3_accuracy", None if unknown else share, len(pictures))
    if unknown:
        yield _row("top3_accuracy_at_least", share, len(pictures))


def _loss(pictures: Sequence[Prediction]) -> Iterator[Row]:
    """Yield the log loss: the mean of -log of the truth's probability, clipped as scikit-learn does."""
    from sklearn.metrics import log_loss

    every = _every_label(pictures)
    told = [picture.kept.get(str(picture.truth)) for picture in pictures]
    unknown = every is None and None in told
    rest = [0.0] * len(pictures) if every else _most_left(pictures)
    bounds = [left if share is None else share for share, left in zip(told, rest, strict=True)]
    loss = log_loss(np.ones(len(bounds)), np.array(bounds, np.float64), labels=[0, 1])
    yield _row("log_loss", None if unknown else loss, len(pictures))
    if unknown:
        yield _row("log_loss_at_least", loss, len(pictures))


def _calibration(pictures: Sequence[Prediction]) -> Iterator[Row]:
    told = [
        (picture.probability, picture.truth == picture.label) for picture in pictures if picture.probability is not None
    ]
    if told:
        probabilities, right = np.array(told, np.float64).T
        yield _row("calibration_error", calibration_error(probabilities, right), len(told))
    else:
        yield _row("calibration_error", None, 0)


def _per_class(truths: Sequence[str], guesses: Sequence[str]) -> Iterator[Row]:
    from sklearn.metrics import precision_recall_fscore_support

    labels = sorted({*truths, *guesses})
    table = precision_recall_fscore_support(truths, guesses, labels=labels, zero_division=0.0)
    guessed = Counter(guesses)
    for label, precision, recall, f1, support in zip(labels, *table, strict=True):
        yield _row("precision", precision, guessed[label], label)
        yield _row("recall", recall, support, label)
        yield _row("f1", f1, support, label)
        yield _row("support", support, support, label)


def _confusion(truths: Sequence[str], guesses: Sequence[str]) -> Iterator[Row]:
    support = Counter(truths)
    for (truth, guess), count in sorted(Counter(zip(truths, guesses, strict=True)).items()):
        yield _row("confusion", count, support[truth], truth) | {"predicted": guess}


def _every_label(pictures: Sequence[Prediction]) -> int | None:
    """Return how many labels the model has when every row keeps all of them, adding up to 1, else None."""
    labels = {label for picture in pictures for label in picture.kept}
    complete = all(
        len(picture.kept) == len(labels) and abs(sum(picture.kept.values()) - 1) <= ROUNDING for picture in pictures
    )
    return len(labels) if len(labels) > 1 and complete else None


def _most_left(pictures: Sequence[Prediction]) -> list[float]:
    """Return for each picture the largest probability that a label which was not kept can have.

    It is no larger than any kept one, nor than what these leave of 1 (unless they add up to more, as with a sigmoid
    head). Kept probabilities are rounded to six digits, so a little more than that may be left.
    """
    sums = [sum(picture.kept.values()) for picture in pictures]
    one = all(total <= 1 + ROUNDING for total in sums)
    return [
        min(
            1.0 if picture.probability is None else picture.probability,
            max(0.0, 1 - total) + SIX_DIGITS * len(picture.kept) if one else 1.0,
            *picture.kept.values(),
        )
        for picture, total in zip(pictures, sums, strict=True)
    ]


def _row(metric: str, value: float | None, support: int, label: str = "") -> Row:
    number = None if value is None else float(value)
    row = {"metric": metric, "class": label, "predicted": "", "value": number, "support": int(support)}
    return row | {"slice_column": "", "slice": ""}
