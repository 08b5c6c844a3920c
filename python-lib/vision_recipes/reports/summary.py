"""The summary in words: what a reader should take away, each sentence from a number on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from vision_recipes.reports.confusion import Matrix
from vision_recipes.reports.metrics import Row
from vision_recipes.reports.predictions import Joined

_SURE = 0.9
_SMALL = 100
_OFF, _APART = 0.05, 0.03


def tell(joined: Joined, rows: Sequence[Row], matrix: Matrix) -> Iterator[str]:
    """Yield sentences, the most important first."""
    pictures = joined.pictures
    whole = {row["metric"]: row["value"] for row in rows if not row["class"] and not row["slice_column"]}
    count, right = len(pictures), sum(picture.right for picture in pictures)
    yield (
        f"{right:,} of {_pictures(count)} got their true label: {whole['accuracy']:.1%}. With as many other pictures "
        f"of the same kind, expect between {whole['accuracy_low']:.0%} and {whole['accuracy_high']:.0%}."
    )
    common, most = Counter(picture.truth for picture in pictures).most_common(1)[0]
    if matrix.classes > 1 and most < count:
        yield f"Always answering “{_short(common)}” would be right in {most / count:.0%}."
    if matrix.pairs:
        pair = matrix.pairs[0]
        yield (
            f"The commonest confusion: {_pictures(pair.count)} of “{_short(pair.truth)}” taken for "
            f"“{_short(pair.guess)}”, {pair.share:.0%} of that class."
        )
    yield from _weakest(rows)
    yield from _sureness(joined, whole)
    if count < _SMALL:
        yield f"{_pictures(count)} are few: the interval above is wide, and figures per class wider."
    if joined.rejected:
        yield f"{_pictures(joined.rejected)} could not be scored; their reasons are listed below."
    if joined.without_truth:
        yield f"{_pictures(joined.without_truth)} were scored but have no true label, so they count nowhere here."


def _weakest(rows: Sequence[Row]) -> Iterator[str]:
    recalls = [row for row in rows if row["metric"] == "recall" and row["support"]]
    if len(recalls) > 2:
        worst = min(recalls, key=lambda row: row["value"])
        if worst["value"] < 1:
            yield (
                f"The hardest class is “{_short(worst['class'])}”: {worst['value']:.0%} of its "
                f"{_pictures(worst['support'])} are recognised."
            )


def _sureness(joined: Joined, whole: Mapping[str, float | None]) -> Iterator[str]:
    sure = [picture.right for picture in joined.pictures if (picture.probability or 0) >= _SURE]
    if sure:
        share = sum(sure) / len(sure)
        yield f"When it is at least {_SURE:.0%} sure ({_pictures(len(sure))}), it is right in {share:.0%}."
    told = [picture.probability for picture in joined.pictures if picture.probability is not None]
    error, accuracy = whole.get("calibration_error"), whole["accuracy"]
    if told and error is not None and accuracy is not None:
        mean = sum(told) / len(told)
        if error <= _OFF:
            yield "Its probabilities mean what they say: on average they are close to the share of right answers."
        elif abs(mean - accuracy) < _APART:
            yield f"A probability it gives is off by {error:.0%} on average, sometimes too high, sometimes too low."
        elif mean > accuracy:
            yield f"It is surer than it should be: {mean:.0%} on average, where {accuracy:.0%} are right."
        else:
            yield f"It is more timid than it should be: {mean:.0%} on average, where {accuracy:.0%} are right."


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"


def _short(label: object) -> str:
    text = str(label)
    return text if len(text) <= 60 else text[:57] + "…"
