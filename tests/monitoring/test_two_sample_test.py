"""The test of two samples: its level where nothing has changed, and what it finds."""

import numpy as np

from vision_recipes.monitoring.two_sample_test import compare_samples


def points(seed, count, shift=0.0, width=12):
    drawn = np.random.default_rng(seed).normal(1, 1, (count, width))
    drawn[:, 0] += shift
    return drawn


def test_p_values_are_even_where_nothing_has_changed():
    found = [compare_samples(points(seed, 40), points(1000 + seed, 15), seed).p_value for seed in range(40)]
    assert sum(p <= 0.05 for p in found) <= 6 and sum(p <= 0.5 for p in found) in range(12, 29)


def test_a_shift_is_found_and_the_same_seed_gives_the_same():
    first, again = (compare_samples(points(1, 60), points(2, 40, 3.0), 5) for _ in range(2))
    assert first.p_value <= 0.003 and first.separability > 0.9
    assert (first.answers == again.answers).all() and first.answers.shape == (40,) and first.answers.mean() > 1


def test_some_of_the_new_points_alone_are_found():
    new = points(2, 60)
    new[:20, 1:4] += 2.5
    found = compare_samples(points(1, 120), new, 0)
    assert found.p_value <= 0.01 and found.answers[:20].mean() > found.answers[20:].mean() + 1


def test_more_features_than_pictures():
    assert compare_samples(points(1, 30, width=300), points(2, 20, width=300), 0).p_value > 0.01
    shifted = points(2, 20, width=300) + np.linspace(-1, 1, 300)
    assert compare_samples(points(1, 30, width=300), shifted, 0).p_value <= 0.003


def test_differences_between_strata_do_not_count():
    kinds = np.r_[np.zeros(40, int), np.ones(20, int), np.zeros(10, int), np.ones(50, int)]
    rows = points(3, 120) + 4 * kinds[:, None] * np.eye(12)[1]
    assert compare_samples(rows[:60], rows[60:], 0).p_value <= 0.003
    assert compare_samples(rows[:60], rows[60:], 0, kinds).p_value > 0.01
    rows[60:, 2] += 3
    assert compare_samples(rows[:60], rows[60:], 0, kinds).p_value <= 0.003


def test_equal_points_differ_in_nothing():
    same = np.ones((30, 5))
    found = compare_samples(same, same[:10], 0)
    assert found.p_value == 1 and found.separability == 0.5 and not found.answers.any()
    assert compare_samples(np.zeros((30, 5)), np.zeros((10, 5)), 0).p_value == 1


def test_a_single_new_point():
    assert compare_samples(points(1, 50), points(2, 1), 0).p_value > 0.01
    assert compare_samples(points(1, 400), -5 * np.ones((1, 12)), 0).p_value < 0.01
