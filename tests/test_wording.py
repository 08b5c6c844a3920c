"""Counts and percentages in words."""

import pytest

from vision_recipes.wording import counted, percent


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (counted(1, "picture"), "1 picture"),
        (counted(0, "picture"), "0 pictures"),
        (counted(1200, "picture"), "1,200 pictures"),
        (counted(1, "class has", "classes have"), "1 class has"),
        (counted(2, "class has", "classes have"), "2 classes have"),
    ],
)
def test_a_count_agrees_with_its_noun(said, expected):
    assert said == expected


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (None, "–"),
        (0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50.0 %"),
        (0.9951, "99.5 %"),
        (0.99999, "99.9 %"),
        (0.00001, "0.1 %"),
        (-0.02, "-2.0 %"),
        (1.5, "150.0 %"),
    ],
)
def test_only_all_is_100_percent_and_only_none_is_0_percent(fraction, expected):
    assert percent(fraction) == expected
