"""Intervals hold what they promise, know groups and repeats, and never claim to be sure of nothing."""

from __future__ import annotations

import numpy as np

from vision_recipes.metrics import accuracy_interval
from vision_recipes.model_selection.paired_differences import accuracy_of, accuracy_when_chosen, difference


def test_pictures_without_groups_have_the_interval_of_wilson():
    right = np.array([1.0] * 45 + [0.0] * 5)
    found = accuracy_of(right, np.arange(50))
    assert np.allclose((found.low, found.high), accuracy_interval(45, 50))


def test_copies_add_no_certainty():
    right, single = np.tile([1.0, 1, 1, 0], 10), np.arange(40)
    copied = accuracy_of(np.repeat(right, 5), np.repeat(single, 5))
    alone = accuracy_of(right, single)
    assert np.allclose((copied.low, copied.high), (alone.low, alone.high))
    ours, theirs = right, np.roll(right, 1)
    assert difference(np.repeat(ours, 5), np.repeat(theirs, 5), np.repeat(single, 5)).low <= 0
    assert difference(ours, ours, single).low < 0 < difference(ours, ours, single).high


def test_the_interval_of_a_difference_covers_the_truth():
    """Two candidates, right in 80 % and 74 % of cases: the true difference is inside in at least 95 of 100 samples."""
    draw, inside = np.random.default_rng(0), 0
    for _ in range(400):
        hard = draw.random(150)
        ours, theirs = (hard < 0.8).astype(float), ((hard + draw.normal(0, 0.1, 150)) < 0.74).astype(float)
        found = difference(ours, theirs, np.arange(150))
        inside += found.low <= 0.06 <= found.high
    assert inside >= 380


def test_a_large_difference_is_sure():
    ours, theirs = np.ones(60), np.repeat([1.0, 0.0], 30)
    assert difference(ours, theirs, np.arange(60)).low > 0.25


def test_the_best_of_many_equals_is_expected_to_be_no_better():
    right = (np.random.default_rng(0).random((20, 200)) < 0.7).astype(float)
    best = right.mean(axis=1).max()
    corrected = accuracy_when_chosen(right, np.arange(200), 0)
    assert corrected is not None
    assert best > 0.73 > corrected > 0.66
    assert accuracy_when_chosen(right[:, :1], np.zeros(1, int), 0) is None
