"""Two models on the same pictures: who is right where, and whether the difference may be luck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vision_recipes.errors import PredictionsError
from vision_recipes.reports.metrics import Row
from vision_recipes.reports.predictions import Prediction


@dataclass(frozen=True)
class Comparison:
    """The pictures that both models scored and whose truth is known, as pairs: the first model's, the other's."""

    pairs: Sequence[tuple[Prediction, Prediction]]

    def where(self, *, first: bool, other: bool) -> list[tuple[Prediction, Prediction]]:
        """Return the pairs in which the first and the other are right or not, as told."""
        return [pair for pair in self.pairs if (pair[0].right, pair[1].right) == (first, other)]

    @property
    def disagreements(self) -> list[tuple[Prediction, Prediction]]:
        """The pairs with different labels, those first where one is right, the most convinced first."""
        differing = [pair for pair in self.pairs if pair[0].label != pair[1].label]
        return sorted(
            differing,
            key=lambda pair: (
                not (pair[0].right or pair[1].right),
                -((pair[0].probability or 0) + (pair[1].probability or 0)),
            ),
        )

    def rows(self) -> Iterator[Row]:
        """Yield rows (rows.METRICS): both accuracies, their difference, the four counts and McNemar's test.

        `compared_p_value`: how likely so uneven a count of pictures that only one model gets right would be by luck.
        """
        from scipy.stats import binomtest

        count = len(self.pairs)
        both, neither = len(self.where(first=True, other=True)), len(self.where(first=False, other=False))
        first, other = len(self.where(first=True, other=False)), len(self.where(first=False, other=True))
        chance = binomtest(first, first + other, 0.5).pvalue if first + other else 1.0
        for name, value in (
            ("compared_accuracy", (both + first) / count),
            ("compared_accuracy_other", (both + other) / count),
            ("compared_accuracy_difference", (first - other) / count),
            ("compared_p_value", chance),
            ("compared_both_right", both),
            ("compared_only_first_right", first),
            ("compared_only_other_right", other),
            ("compared_neither_right", neither),
            ("compared_disagreements", len(self.disagreements)),
        ):
            row = {"metric": name, "class": "", "predicted": "", "value": float(value), "support": count}
            yield row | {"slice_column": "", "slice": ""}


def compare(first: Sequence[Prediction], other: Sequence[Prediction], name: str) -> Comparison:
    """Return the comparison; both sides are joined with the truth, `name` is the other dataset's."""
    others = {picture.path: picture for picture in other}
    pairs = [(picture, others[picture.path]) for picture in first if picture.path in others]
    if not pairs:
        raise PredictionsError(
            f"No picture is in both scored datasets (the first here: {first[0].path!r}; in {name}: "
            f"{other[0].path if other else 'none'!r}). Score the same folder with both models."
        )
    return Comparison(pairs)
