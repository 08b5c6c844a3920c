"""Every beginning of the order has all labels; groups stay together; rounds grow."""

from __future__ import annotations

from collections import Counter

import numpy as np

from vision_recipes.dataset.duplicates import Pair
from vision_recipes.model_selection.other_passes import copies_to_compare
from vision_recipes.model_selection.sampling import comparable, draw_sample, round_sizes, stratified_order


def test_every_beginning_has_the_labels_in_proportion():
    labels = {f"/{number}.jpg": "abbbb"[number % 5] for number in range(500)}
    order = stratified_order(labels, 3)
    assert sorted(order) == sorted(labels)
    assert order == stratified_order(dict(reversed(labels.items())), 3)
    for size in (10, 50, 250):
        assert abs(Counter(labels[path] for path in order[:size])["a"] - size / 5) <= 1


def test_rounds_grow_to_all_pictures():
    assert round_sizes(5, 2) == [5]
    assert round_sizes(2000, 10) == [500, 2000]
    assert round_sizes(100_000, 10) == [250, 1000, 4000]
    assert round_sizes(100_000, 200) == [4000]
    assert round_sizes(2000, 10, most=300) == [300]


def test_near_duplicates_and_cells_stay_in_one_fold():
    paths = [f"/{number}" for number in range(30)]
    labels = {path: "ab"[number % 2] for number, path in enumerate(paths)}
    sample = draw_sample(paths, labels, {"/0": "x", "/7": "x"}, [Pair(7, 9, 1.0)], 0)
    assert len(sample.folds) == 5
    for folds in sample.folds:
        assert folds[0] == folds[7] == folds[9]
        assert set(folds) == set(range(5))
    assert len(np.unique(sample.groups)) == 28


def test_pictures_that_a_split_keeps_are_not_compared_on():
    labels = dict.fromkeys(("/a", "/b", "/c"), "x")
    assert list(comparable(labels, {"/a": "train", "/b": "validation", "/c": "Test"})) == ["/a"]
    assert comparable(labels, {}) == labels


def test_no_more_copies_are_compared_than_fit_into_memory():
    assert [copies_to_compare(10, pictures) for pictures in (60, 1000, 4000, 10_000)] == [10, 10, 2, 1]
    assert copies_to_compare(2, 4000) == 2
