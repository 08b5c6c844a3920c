"""The confusion matrix with pictures in its cells; of many classes, those with most errors."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vision_recipes.reports.predictions import Prediction

MOST_CLASSES = 10
_SHOWN = {2: 6, 3: 4, 4: 2, 5: 2}
_PAIRS, _PER_PAIR = 8, 6


@dataclass(frozen=True)
class Cell:
    """The pictures of one true and one predicted label: their count, and some of them, most confident first.

    `support` is the number of all pictures of the true label.
    """

    truth: str
    predicted: str
    count: int
    support: int
    pictures: Sequence[Prediction]

    @property
    def fraction(self) -> float:
        """The fraction of the true label's pictures."""
        return self.count / max(self.support, 1)

    @property
    def right(self) -> bool:
        """Whether the cell is on the diagonal."""
        return self.truth == self.predicted


@dataclass(frozen=True)
class ConfusionMatrix:
    """`rows` holds the cells by true label, then by predicted one, both in the order of `labels`.

    `classes` is the number of all classes; `pairs` are the cells with most errors, with more pictures; `errors` are all
    cells with errors, without pictures. Most errors come first.
    """

    labels: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    classes: int
    pairs: Sequence[Cell]
    errors: Sequence[Cell]

    def pictures(self) -> Iterator[Prediction]:
        """Yield every picture that is shown."""
        for row in [*self.rows, self.pairs]:
            for cell in row:
                yield from cell.pictures


def confusion_matrix(pictures: Sequence[Prediction]) -> ConfusionMatrix:
    """Return the confusion matrix of predictions that have true labels."""
    cells: dict[tuple[str, str], list[Prediction]] = defaultdict(list)
    for picture in pictures:
        cells[str(picture.truth), picture.label].append(picture)
    support = Counter(str(picture.truth) for picture in pictures)
    labels = {label for pair in cells for label in pair}
    wrong = sorted((pair for pair in cells if pair[0] != pair[1]), key=lambda pair: (-len(cells[pair]), pair))
    errors: Counter[str] = Counter()
    for pair in wrong:
        errors.update(dict.fromkeys(pair, len(cells[pair])))
    chosen = sorted(sorted(labels, key=lambda label: (-errors[label], -support[label], label))[:MOST_CLASSES])
    shown = _SHOWN.get(len(chosen), 1)

    def cell(truth: str, predicted: str, most: int) -> Cell:
        found = cells.get((truth, predicted), [])
        confident = sorted(found, key=lambda picture: -(picture.probability or 0))[:most]
        return Cell(truth, predicted, len(found), support[truth], confident)

    return ConfusionMatrix(
        chosen,
        [[cell(truth, predicted, shown) for predicted in chosen] for truth in chosen],
        len(labels),
        [cell(*pair, _PER_PAIR) for pair in wrong[:_PAIRS]],
        [cell(*pair, 0) for pair in wrong],
    )
