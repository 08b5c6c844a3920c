"""Plots: marks inside the frame, round ticks, every text escaped."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from vision_recipes.reports.plots import draw_calibration, draw_confidence, draw_curves, ticks


def marks(svg):
    root = ET.fromstring(svg)  # noqa: S314 - our own
    _, _, width, height = map(float, root.get("viewBox").split())
    for line in root.iter("polyline"):
        for point in line.get("points").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width and 0 <= y <= height
    for bar in root.iter("rect"):
        assert float(bar.get("height")) > 0
        assert float(bar.get("y")) >= 0 and float(bar.get("y")) + float(bar.get("height")) <= height
    return root


@pytest.mark.parametrize(
    ("xs", "ys"),
    [
        ([1], [0.5]),
        ([1, 2, 3], [2.0, 1.0, 0.1]),
        ([1, 2], [3e-9, 3e-9]),
        (list(range(1, 301)), [1e6] * 300),
        ([1], [0.0]),
    ],
)
@pytest.mark.parametrize("title", ["Loss", "Accuracy"])
def test_curves(xs, ys, title):
    ys = [min(y, 1.0) for y in ys] if title == "Accuracy" else ys
    plot = draw_curves([("training", xs, ys), ("validation", xs, ys)], title, "epochs", 'over "<3" epochs')
    root = marks(plot.svg)
    assert len(list(root.iter("polyline"))) == 2
    assert plot.legend == [("training", "second"), ("validation", "first")]
    assert root.get("aria-label") == 'over "<3" epochs'
    assert "epochs" in [text.text for text in root.iter("text")]


@pytest.mark.parametrize("right", [1.0, 0.5, 0.0])
def test_a_constant_accuracy_stays_below_100_percent(right):
    plot = draw_curves([("validation", [1, 2, 3], [right] * 3)], "Accuracy", "epochs", "accuracy")
    shown = [text.text for text in marks(plot.svg).iter("text") if text.text.endswith("%")]
    assert max(float(text.rstrip("%")) for text in shown) == 100


def test_a_good_accuracy_is_not_drawn_as_if_it_swung():
    plot = draw_curves([("training", [1, 2], [0.97, 1.0])], "Accuracy", "epochs", "accuracy")
    shown = [text.text for text in marks(plot.svg).iter("text") if text.text.endswith("%")]
    assert shown[0] == "60 %"


def test_an_only_mistake_is_visible():
    probabilities, right = np.full(5000, 0.99), np.ones(5000)
    probabilities[0], right[0] = 0.55, 0.0
    for draw in (draw_calibration, draw_confidence):
        bars = [bar for bar in marks(draw(probabilities, right).svg).iter("rect") if "wrong" in bar.get("class")]
        assert len(bars) == 1
        assert float(bars[0].get("height")) >= 3


def test_bars_are_the_counts():
    probabilities, right = np.array([0.05, 0.15, 0.15, 0.95, 1.0]), np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    described = marks(draw_calibration(probabilities, right).svg).get("aria-label")
    assert re.findall(r": ([\d.]+ %) of (\d)", described) == [("0 %", "1"), ("50.0 %", "2"), ("100 %", "2")]
    root = marks(draw_confidence(probabilities, right).svg)
    assert len([bar for bar in root.iter("rect") if "wrong" in bar.get("class")]) == 2
    assert root.get("aria-label").endswith("3 right, 2 wrong.")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 7), (1, 2), (0.61, 0.97), (0, 1e-9), (0, 123456)])
def test_ticks_are_round_and_few(low, high):
    found = ticks(low, high, 5)
    assert 2 <= len(found) <= 6
    assert found == sorted(set(found))
    assert low - 1e-12 <= found[0] and found[-1] <= high + 1e-12
    assert all(value == int(value) for value in ticks(low, high, 5, whole=True))
