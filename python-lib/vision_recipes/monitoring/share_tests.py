"""Whether more pictures are unknown or unsure than expected, and whether the mix of predicted labels has changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DRAWS = 9999


def more_flagged(expected: np.ndarray, new: np.ndarray) -> float:
    """Return the p-value that the flagged part of new pictures (n,) is no larger than of the expected ones (m,).

    It is Fisher's exact test (one-sided) on two masks.
    """
    from scipy.stats import hypergeom

    flagged = int(expected.sum() + new.sum())
    return float(hypergeom.sf(int(new.sum()) - 1, len(expected) + len(new), flagged, len(new)))


@dataclass(frozen=True)
class LabelMix:
    """The predicted labels of both sides: counts int (classes,), and the p-value of a change."""

    p_value: float
    expected: np.ndarray
    new: np.ndarray

    @property
    def moved(self) -> float:
        """The fraction of the pictures that would need another label for the two mixes to agree (total variation)."""
        return float(np.abs(self.expected / self.expected.sum() - self.new / self.new.sum()).sum() / 2)

    def changes(self) -> list[tuple[int, float, float]]:
        """Return the classes with their fraction before and now, the largest change first."""
        before, now = self.expected / self.expected.sum(), self.new / self.new.sum()
        order = np.argsort(-np.abs(now - before), kind="stable")
        return [
            (int(number), float(before[number]), float(now[number]))
            for number in order
            if now[number] != before[number]
        ]


def compare_labels(expected: np.ndarray, new: np.ndarray, classes: int, seed: int) -> LabelMix:
    """Return how the mix of labels (m,) and (n,), numbers of classes, differs.

    The p-value is that of the chi-squared statistic, among tables drawn with the same margins.
    """
    before, now = (np.bincount(labels, minlength=classes) for labels in (expected, new))
    margins = (before + now)[before + now > 0]
    tables = np.random.default_rng(seed).multivariate_hypergeometric(margins, len(new), DRAWS, method="marginals")
    expectation = margins * len(new) / (len(expected) + len(new))
    real = ((now[before + now > 0] - expectation) ** 2 / expectation).sum()
    drawn = ((tables - expectation) ** 2 / expectation).sum(axis=1)
    return LabelMix(float((1 + (drawn >= real - 1e-9).sum()) / (1 + DRAWS)), before, now)
