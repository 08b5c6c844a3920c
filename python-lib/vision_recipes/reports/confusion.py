"""The confusion matrix with the pictures in its cells, cut to the classes that matter when there are many."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vision_recipes.reports.predictions import Prediction

MOST_CLASSES = 10
"""Of more classes, those with most errors are shown."""
_SHOWN = {2: 6, 3: 4, 4: 2, 5: 2}
_PAIRS, _PER_PAIR = 8, 6


@dataclass(frozen=True)
class Cell:
    """A true label, a predicted one, how many pictures, which share of the truth's, and some of them, surest first."""

    truth: str
    guess: str
    count: int
    share: float
    pictures: Sequence[Prediction]

    @property
    def right(self) -> bool:
        """Whether the cell is on the diagonal."""
        return self.truth == self.guess


@dataclass(frozen=True)
class Matrix:
    """`rows` holds the cells by true label, then by predicted one, both in the order of `labels`.

    `classes` is how many classes there are in all; `pairs` are the cells with most errors, with more pictures.
    """

    labels: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    classes: int
    pairs: Sequence[Cell]

    def pictures(self) -> Iterator[Prediction]:
        """Yield every picture that is shown."""
        for cell in [cell for row in self.rows for cell in row] + list(self.pairs):
            yield from cell.pictures


def draw_matrix(pictures: Sequence[Prediction]) -> Matrix:
    """Return the matrix of joined predictions."""
    cells: dict[tuple[str, str], list[Prediction]] = defaultdict(list)
    for picture in pictures:
        cells[str(picture.truth), picture.label].append(picture)
    support = Counter(str(picture.truth) for picture in pictures)
    labels = {label for pair in cells for label in pair}
    errors: Counter[str] = Counter()
    for (truth, guess), found in cells.items():
        if truth != guess:
            errors.update({truth: len(found), guess: len(found)})
    chosen = sorted(sorted(labels, key=lambda label: (-errors[label], -support[label], label))[:MOST_CLASSES])
    shown = _SHOWN.get(len(chosen), 1)

    def cell(pair: tuple[str, str], most: int) -> Cell:
        found = cells.get(pair, [])
        surest = sorted(found, key=lambda picture: -(picture.probability or 0))[:most]
        return Cell(*pair, len(found), len(found) / max(support[pair[0]], 1), surest)

    wrong = sorted((pair for pair in cells if pair[0] != pair[1]), key=lambda pair: (-len(cells[pair]), pair))
    return Matrix(
        chosen,
        [[cell((truth, guess), shown) for guess in chosen] for truth in chosen],
        len(labels),
        [cell(pair, _PER_PAIR) for pair in wrong[:_PAIRS]],
    )
