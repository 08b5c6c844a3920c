"""What would make the model better or its measurement surer, in sentences with numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from vision_recipes.errors import listed
from vision_recipes.metrics import accuracy_interval
from vision_recipes.reports.confusion import ConfusionMatrix
from vision_recipes.reports.metric_rows import ClassCounts, class_counts
from vision_recipes.reports.predictions import Prediction
from vision_recipes.reports.ranking import likely_label_errors
from vision_recipes.reports.rendering import plain
from vision_recipes.wording import counted

_LABEL = 60
_MOST = 3
_GOOD = 0.95
_FEW = 20
_WIDE = 0.1
_TRUSTED = 0.8
"""The accuracy from which on a confident mistake says something about the label."""


def advise(pictures: Sequence[Prediction], matrix: ConfusionMatrix, sizes: Mapping[str, int]) -> Iterator[str]:
    """Yield sentences, the most useful first; `sizes` is the number of training pictures by class, empty if unknown."""
    weak = _weak_classes(class_counts(pictures))
    for label, count in weak.items():
        rival = next((pair.predicted for pair in matrix.errors if pair.truth == label), "")
        size = f", {_size(label, sizes)}" if sizes else ""
        recognised = f"{count.hits:,} of {count.support:,} {'is' if count.support == 1 else 'are'} recognised{size}"
        if count.support - count.hits == 1:
            yield (
                f"Perhaps add pictures of {_quoted(label)}: {recognised}. This rests on one mistake only, taken for "
                f"{_quoted(rival)}, and may be chance."
            )
        else:
            yield (
                f"Add pictures of {_quoted(label)}: {recognised}. The most useful are ones that look like "
                f"{_quoted(rival)}."
            )
    yield from _small_classes({label: size for label, size in sizes.items() if label not in weak})
    every, right = len(pictures), sum(picture.right for picture in pictures)
    suspects = len(likely_label_errors(pictures, every)) if right / every >= _TRUSTED else 0
    if suspects:
        yield f"Check the labels of {counted(suspects, 'picture')} under “Data quality”: they may be wrong."
    low, high = accuracy_interval(right, every)
    if high - low > _WIDE:
        yield (
            f"To know the accuracy more closely, evaluate more pictures: the interval is {100 * (high - low):.0f} "
            f"percentage points wide, and about half as wide with {4 * every:,} pictures."
        )
    if right == every:
        yield "Look for harder pictures, such as other places, light or angles: these are all recognised."


def _weak_classes(counts: Mapping[str, ClassCounts]) -> dict[str, ClassCounts]:
    """Return the classes with the lowest recall, if it leaves something to wish for."""
    weak = {label: count for label, count in counts.items() if count.support and count.recall < _GOOD}
    worst = sorted(weak, key=lambda label: (weak[label].recall, -weak[label].support))[:_MOST]
    return {label: weak[label] for label in worst}


def _small_classes(sizes: Mapping[str, int]) -> Iterator[str]:
    small = sorted((size, label) for label, size in sizes.items() if size < _FEW)
    if small:
        named = listed((f"{_quoted(label)} ({size})" for size, label in small), _MOST)
        yield f"Few pictures to train on: {named}. Aim for at least {_FEW} of each class, better 100."


def _size(label: str, sizes: Mapping[str, int]) -> str:
    size, usual = sizes.get(label, 0), median(sizes.values())
    if size < usual / 2:
        return f"and it has only {size:,} to train on, where classes usually have {usual:,.0f}"
    return f"and it has {size:,} to train on"


def _quoted(label: str) -> str:
    return f"“{plain(label, _LABEL)}”"
