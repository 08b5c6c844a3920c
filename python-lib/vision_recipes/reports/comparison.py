"""Two models compared on the same pictures: which of them is right where, and McNemar's test of the difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vision_recipes.errors import PredictionsError
from vision_recipes.reports.metric_rows import Row, metric_row
from vision_recipes.reports.predictions import Prediction


@dataclass(frozen=True)
class Comparison:
    """The pictures with a true label that both models scored, as pairs: the first model's prediction, the other's.

    `name` is the other model's dataset.
    """

    pairs: Sequence[tuple[Prediction, Prediction]]
    name: str

    @property
    def disagreements(self) -> list[tuple[Prediction, Prediction]]:
        """The pairs with different labels: first those where one is right, in each part the most confident first."""
        differing = [(first, other) for first, other in self.pairs if first.label != other.label]
        return sorted(
            differing,
            key=lambda pair: (
                not (pair[0].right or pair[1].right),
                -((pair[0].probability or 0) + (pair[1].probability or 0)),
            ),
        )

    def rows(self) -> Iterator[Row]:
        """Yield rows (METRICS): both accuracies, their difference, four counts and McNemar's exact test.

        `compared_p_value` is the probability of counts at least as uneven, of the pictures that only one model gets
        right, if both were equally good (McNemar 1947, exact binomial form).
        """
        from scipy.stats import binomtest

        count, outcomes = len(self.pairs), Counter((first.right, other.right) for first, other in self.pairs)
        both, neither = outcomes[True, True], outcomes[False, False]
        first, other = outcomes[True, False], outcomes[False, True]
        for name, value in {
            "accuracy": (both + first) / count,
            "accuracy_other": (both + other) / count,
            "accuracy_difference": (first - other) / count,
            "p_value": binomtest(first, first + other, 0.5).pvalue if first + other else 1.0,
            "both_right": both,
            "only_first_right": first,
            "only_other_right": other,
            "neither_right": neither,
            "disagreements": len(self.disagreements),
        }.items():
            yield metric_row(f"compared_{name}", value, count)


def compare(first: Sequence[Prediction], other: Sequence[Prediction], name: str) -> Comparison:
    """Return the comparison of predictions that have true labels; `name` is the other dataset's."""
    others = {picture.path: picture for picture in other}
    pairs = [(picture, others[picture.path]) for picture in first if picture.path in others]
    if not pairs:
        raise PredictionsError(
            f"No picture is in both scored datasets (the first here: {first[0].path!r}; in {name}: "
            f"{other[0].path if other else 'none'!r}). Score the same folder with both models."
        )
    return Comparison(pairs, name)
