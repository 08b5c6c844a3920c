"""Near-duplicate pictures."""

from __future__ import annotations

import numpy as np
import pytest

from vision_recipes.dataset import duplicates
from vision_recipes.dataset.duplicates import Pair, duplicate_remarks, find_duplicates


def features(count: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).gamma(1.0, 2.0, (count, width)).astype(np.float32)


@pytest.mark.parametrize("width", [48, 700])
def test_copies_are_found_and_others_are_not(width):
    values = features(60, width)
    values[7] = values[40] * 1.01
    values[9] = values[50] + 0.05 * features(1, width, 1)[0]
    pairs = find_duplicates(values, [str(row) for row in range(60)], 0)
    assert {(pair.one, pair.other) for pair in pairs} == {(7, 40), (9, 50)}
    assert all(pair.similarity > duplicates.MIN_SIMILARITY for pair in pairs)


def test_blocks_are_compared_with_each_other(monkeypatch):
    monkeypatch.setattr(duplicates, "_BLOCK", 7)
    values = features(50, 40)
    values[3], values[20] = values[48], values[21]
    pairs = find_duplicates(values, [str(row) for row in range(50)], 0)
    assert {(pair.one, pair.other) for pair in pairs} == {(3, 48), (20, 21)}


def test_the_same_bytes_are_always_found():
    pairs = find_duplicates(np.zeros((4, 8), np.float32), ["x", "y", "x", "x"], 0)
    assert {(pair.one, pair.other) for pair in pairs} >= {(0, 2), (0, 3)}


def test_a_cluster_of_similar_pictures_is_no_chain_of_copies():
    draw = np.random.default_rng(0)
    values = features(100, 30)
    values[:50] = values[0] + 0.3 * draw.normal(size=(50, 30)).astype(np.float32)
    values[60] = values[61]
    pairs = find_duplicates(values, [str(row) for row in range(100)], 0)
    assert (60, 61) in {(pair.one, pair.other) for pair in pairs}
    assert len(pairs) < 50


def test_pictures_of_one_kind_are_no_copies_of_each_other():
    kinds = features(3, 200)
    values = np.repeat(kinds, 30, axis=0) + 0.1 * features(90, 200, 1)
    values[5] = values[60] = values[61] + 1e-3
    pairs = find_duplicates(values, [str(row) for row in range(90)], 0)
    assert {(pair.one, pair.other) for pair in pairs} == {(5, 60), (5, 61), (60, 61)}


@pytest.mark.parametrize("values", [np.zeros((3, 5), np.float32), np.ones((1, 5), np.float32)])
def test_constant_features_link_nothing(values):
    assert find_duplicates(values, [str(row) for row in range(len(values))], 0) == []


def test_leakage_and_conflicting_labels_are_reported():
    pairs = [Pair(0, 1, 1.0), Pair(2, 3, 0.95), Pair(4, 5, 0.95)]
    lines = list(duplicate_remarks(pairs, list("abcdef"), np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, 0, 1])))
    assert "3 pairs" in lines[0]
    assert lines[1].endswith("c = d")
    assert lines[2].endswith("e = f")
    assert list(duplicate_remarks([], [], np.empty(0), np.empty(0))) == []
