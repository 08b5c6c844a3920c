"""The split into training, validation and test pictures, and groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_recipes.dataset.splits import (
    TEST,
    TRAIN,
    VALID,
    draw_split,
    group_folds,
    linked_by,
    merge_groups,
    read_split,
    split_remarks,
)
from vision_recipes.errors import LabelsError

NAMES = ["a", "b", "c"]


def alone(count: int) -> np.ndarray:
    return np.arange(count)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=120),
    st.integers(0, 40),
    st.sampled_from([0.5, 0.7, 0.8, 0.95]),
    st.integers(0, 99),
)
def test_every_split_is_stratified_whole_and_keeps_groups(classes, group_count, ratio, seed):
    targets = np.array(classes)
    names = [str(number) for number in range(5)]
    groups = (
        alone(len(targets)) if not group_count else np.random.default_rng(seed).integers(0, group_count, len(targets))
    )
    try:
        sides = draw_split(targets, groups, names, ratio, seed)
    except LabelsError:
        assert group_count or np.bincount(targets).max() < 2
        return
    assert (np.isin(sides, (TRAIN, VALID))).all()
    for group in np.unique(groups):
        assert len(set(sides[groups == group])) == 1
    assert set(targets[sides == TRAIN]) == set(targets), "a class lost all its training pictures"
    if not group_count:
        for number, count in enumerate(np.bincount(targets)):
            held_out = int((targets[sides == VALID] == number).sum())
            assert held_out == (0 if count < 2 else min(max(round(count * (1 - ratio)), 1), count - 1))
    assert (draw_split(targets, groups, names, ratio, seed) == sides).all()


def test_the_seed_draws_another_split():
    targets = np.repeat([0, 1, 2], 40)
    sides = [draw_split(targets, alone(120), NAMES, 0.8, seed) for seed in (1, 1, 2)]
    assert (sides[0] == sides[1]).all()
    assert (sides[0] != sides[2]).any()


def test_every_group_is_held_out_as_often_as_single_pictures():
    targets = np.repeat([0, 1], 50)
    groups = alone(100)
    groups[1], groups[51] = 0, 50
    held_out = [draw_split(targets, groups, NAMES[:2], 0.8, seed)[0] == VALID for seed in range(300)]
    assert 0.1 < np.mean(held_out) < 0.3


def test_large_groups_are_separated_even_when_none_fits():
    targets, groups = np.array([0, 1] * 10), np.repeat([0, 1], 10)
    sides = draw_split(targets, groups, NAMES[:2], 0.9, 5)
    assert (sides == VALID).sum() == (sides == TRAIN).sum() == 10


def test_small_classes_are_named():
    targets, names = np.array([0] * 20 + [1] * 20 + [2]), ["egg", "ham", "rare"]
    sides = draw_split(targets, alone(41), names, 0.8, 1)
    assert sides[-1] == TRAIN
    remarks = split_remarks(sides, targets, names)
    assert list(remarks) == ["1 class has one picture, which is used for training only, so it is not evaluated: 'rare'"]
    targets, names = np.array([0] * 20 + [1, 1]), ["egg", "pair"]
    tied = split_remarks(draw_split(targets, np.array([*range(20), 30, 30]), names, 0.8, 1), targets, names)
    assert list(tied) == [
        "1 class has no validation picture, so it is not evaluated: 'pair'",
        "1 class has fewer than 10 pictures, so it is hard to evaluate: 'pair'",
    ]


def test_only_single_pictures_cannot_be_split():
    with pytest.raises(LabelsError, match="no class has two pictures that can be separated"):
        draw_split(np.arange(3), alone(3), NAMES, 0.8, 1)


def test_a_column_may_give_the_split():
    cells = ["Train", "validation", "TEST", " val ", "training"]
    sides = read_split(cells, np.array([0, 0, 1, 1, 1]), NAMES[:2], "part")
    assert sides.tolist() == [TRAIN, VALID, TEST, VALID, TRAIN]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["train", "valid", "0", "maybe"], "'0' (1 row), 'maybe' (1 row)"),
        (["train", "train", "train", "train"], "picture to validation"),
        (["train", "train", "valid", "valid"], "training for 'b'"),
    ],
)
def test_other_words_and_empty_sides_are_refused(cells, says):
    with pytest.raises(LabelsError) as refusal:
        read_split(cells, np.array([0, 0, 1, 1]), NAMES[:2], "part")
    assert says in str(refusal.value)


def test_links_make_groups():
    assert merge_groups(6, [(0, 1), (3, 4)], [(4, 1)]).tolist() == [0, 0, 1, 0, 0, 2]
    assert merge_groups(3, []).tolist() == [0, 1, 2]
    assert linked_by(["x", None, "y", "x", None]) == [(0, 0), (2, 2), (0, 3)]


def test_folds_keep_groups_together_and_spread_classes():
    targets, groups = np.repeat([0, 1, 2], 40), np.repeat(np.arange(60), 2)
    folds = group_folds(targets, groups, 5, 1)
    assert (folds[::2] == folds[1::2]).all()
    assert {int(((folds == fold) & (targets == number)).sum()) for fold in range(5) for number in range(3)} == {8}
    assert (folds == group_folds(targets, groups, 5, 1)).all()
    assert (folds != group_folds(targets, groups, 5, 2)).any()
    some = group_folds(targets, groups, 5, 1, every=3)
    assert (some[::2] == some[1::2]).all()
    assert (some >= 0).sum() == 40
