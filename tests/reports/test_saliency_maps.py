"""Figures on saliency maps, overlays, and what the deletion test hides."""

import numpy as np
import pytest

from vision_recipes.reports import saliency_maps


def test_an_even_map_is_even():
    figures = saliency_maps.describe(np.full((50, 100), 0.1))
    assert figures["border_share"] == pytest.approx(0.36)
    assert (figures["centre_x"], figures["centre_y"]) == pytest.approx((0.5, 0.5))
    assert figures["extent"] == pytest.approx(0.5, abs=1e-3)


def test_saliency_at_a_corner_shows_in_the_figures():
    saliency = np.zeros((40, 40))
    saliency[:2, -2:] = 1
    figures = saliency_maps.describe(saliency)
    assert figures["border_share"] == 1.0
    assert figures["centre_x"] == pytest.approx(39 / 40)
    assert figures["centre_y"] == pytest.approx(1 / 40)
    assert figures["extent"] == pytest.approx(2 / 1600, abs=1 / 1600)


def test_no_saliency_has_no_figures():
    assert saliency_maps.describe(saliency_maps.enlarge(np.zeros((4, 4)), 20, 20)) == {}


def test_a_map_keeps_its_sum_when_it_grows():
    saliency = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    large = saliency_maps.enlarge(saliency, 33, 61)
    assert large.shape == (33, 61)
    assert large.sum() == pytest.approx(1, abs=1e-4)
    assert large.min() >= 0


def test_hiding_takes_the_most_salient_fifth():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    saliency = np.arange(400).reshape(20, 20)
    hidden = saliency_maps.hide(pixels, saliency_maps.most_salient_first(saliency))
    mean = pixels.reshape(-1, 3).mean(axis=0).round()
    assert (hidden[16:] == mean).all()
    assert (hidden[:16] == pixels[:16]).all()


def test_random_hiding_takes_whole_squares():
    order = saliency_maps.random_order((24, 30), 6, np.random.default_rng(1))
    assert sorted(order.tolist()) == list(range(720))
    hidden = np.zeros(720, bool)
    hidden[order[:144]] = True
    squares = hidden.reshape(4, 6, 5, 6).sum(axis=(1, 3))
    assert sorted(squares.ravel().tolist()) == [0] * 16 + [36] * 4


@pytest.mark.parametrize(
    ("drops", "expected"),
    [
        ({}, ""),
        ({"drop_hottest": 0.4, "drop_random": 0.1}, ""),
        ({"drop_hottest": 0.1, "drop_random": 0.4}, saliency_maps.NO_MORE),
        ({"drop_hottest": 0.001, "drop_random": 0.0}, saliency_maps.HARDLY_MORE),
    ],
)
def test_a_map_whose_hottest_part_is_nothing_special_is_told(drops, expected):
    figures = saliency_maps.describe(np.ones((10, 10)))
    assert saliency_maps.warning(figures | drops) == expected
    assert saliency_maps.warning(drops) == saliency_maps.NO_SALIENCY
