"""Shares of flagged pictures and the mix of labels: p-values against SciPy and by hand."""

import numpy as np
import pytest

from vision_recipes.monitoring.expected_accuracy import expect_accuracy
from vision_recipes.monitoring.share_tests import compare_labels, more_flagged


def test_flagged_pictures_are_tested_as_fisher_does():
    from scipy.stats import fisher_exact

    expected, new = np.arange(100) < 8, np.arange(50) < 11
    table = [[11, 39], [8, 92]]
    assert more_flagged(expected, new) == pytest.approx(fisher_exact(table, "greater").pvalue)
    assert more_flagged(expected, np.zeros(50, bool)) == 1


def test_the_mix_of_labels():
    from scipy.stats import chi2_contingency

    before, now = np.repeat([0, 1, 2], [60, 30, 10]), np.repeat([0, 1, 2], [50, 50, 12])
    mix = compare_labels(before, now, 5, 0)
    assert mix.p_value == pytest.approx(chi2_contingency([[60, 30, 10], [50, 50, 12]]).pvalue, abs=0.02)
    assert mix.moved == pytest.approx(50 / 112 - 30 / 100 + 12 / 112 - 10 / 100)
    assert [number for number, _, _ in mix.changes()] == [0, 1, 2]
    assert compare_labels(before, before, 5, 0).p_value == 1
    assert compare_labels(before, np.full(20, 4), 5, 0).p_value == pytest.approx(1e-4)


def test_accuracy_is_that_of_validation_where_nothing_has_changed():
    draw = np.random.default_rng(0)
    probabilities = draw.uniform(0.3, 1, 4000).astype(np.float32)
    right = (draw.uniform(size=4000) < probabilities).astype(float)
    found = expect_accuracy(probabilities[:2000], right[:2000], probabilities[2000:], 0)
    assert found.accuracy == pytest.approx(right[2000:].mean(), abs=0.03)
    assert found.low < right[2000:].mean() < found.high and found.high - found.low < 0.1
    lower = expect_accuracy(probabilities[:2000], right[:2000], probabilities[2000:] ** 2, 0)
    assert lower.high < found.low


@pytest.mark.parametrize("right, expected", [(np.ones(20), 1.0), (np.zeros(20), 0.0), (np.arange(20) % 2, 0.5)])
def test_probabilities_that_are_all_the_same(right, expected):
    found = expect_accuracy(np.ones(20), right, np.ones(30), 0)
    assert found.accuracy == pytest.approx(expected) and found.low <= expected <= found.high


def test_few_pictures_tell_nothing_of_the_accuracy():
    assert expect_accuracy(np.ones(9), np.ones(9), np.ones(30), 0) is None
