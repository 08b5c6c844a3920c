"""Plots as inline SVG in the colours of the page: curves, the reliability diagram, confidence, a Pareto front."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from vision_recipes.wording import percent

_WIDTH, _HEIGHT = 340.0, 200.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 42.0, 322.0, 10.0, 160.0
_BINS, _LEAST = 10, 3.0
_LINE = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
_TEXT = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
_RECT = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
_PATH = Markup('<polyline class="{}" points="{}"/>')
_DOT = Markup('<circle class="{}" r="3" cx="{:.1f}" cy="{:.1f}"/>')
_SVG = Markup('<svg role="img" viewBox="0 0 {:g} {:g}" aria-label="{}">{}</svg>')

Curve = tuple[str, Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Plot:
    """A plot with its title and the names of its marks, each with the CSS class that colours it."""

    title: str
    svg: Markup
    legend: Sequence[tuple[str, str]] = ()


def draw_curves(series: Sequence[Curve], title: str, unit: str, described: str) -> Plot:
    """Return a line plot; `series` are name, x and y, at most two: training and validation. `unit` is what x counts."""
    every_x = sorted(x for _, xs, _ in series for x in xs)
    every_y = sorted(y for _, _, ys in series for y in ys)
    fraction = "accuracy" in title.lower()
    low, high = every_y[0], 1.0 if fraction else every_y[-1]
    if fraction:  # a narrower axis would make ordinary noise look alarming
        low = next(start for start in (0.5, 0.0) if low >= start)
    else:
        low = 0.0 if low < 0.6 * high else low - 0.08 * (high - low)
        high = high if high > low else low + 1
    canvas = _Canvas((every_x[0], max(every_x[-1], every_x[0] + 1)), (low, high))
    canvas.grid(lambda value: f"{100 * value:.3g} %" if fraction else f"{value:.3g}")
    canvas.below(ticks(*canvas.across, 6, whole=True), unit)
    kinds = ("second", "first")
    for (_, xs, ys), kind in zip(series, kinds, strict=False):
        canvas.curve(zip(xs, ys, strict=True), kind)
    return Plot(title, canvas.svg(described), [(name, kind) for (name, _, _), kind in zip(series, kinds, strict=False)])


def draw_calibration(probabilities: np.ndarray, right: np.ndarray) -> Plot:
    """Return the reliability diagram: the accuracy in ten bins of the predicted label's probability (n,)."""
    bins = np.clip((probabilities * _BINS).astype(int), 0, _BINS - 1)
    counts, hits = np.bincount(bins, minlength=_BINS), np.bincount(bins, right, _BINS)
    canvas = _Canvas((0.0, 1.0), (0.0, 1.0))
    canvas.grid(_round_percent)
    canvas.below(ticks(0, 1, 5), "confidence", _round_percent)
    seen = np.flatnonzero(counts)
    for place in seen:
        share = hits[place] / counts[place]
        canvas.bar(place / _BINS, (place + 1) / _BINS, 0.0, share, "first" if share else "wrong")
    canvas.curve([(0.0, 0.0), (1.0, 1.0)], "second")
    described = "; ".join(
        f"{place / _BINS:.1f} to {(place + 1) / _BINS:.1f}: {percent(hits[place] / counts[place])} of {counts[place]}"
        for place in seen
    )
    return Plot("Accuracy by confidence", canvas.svg(f"Accuracy by confidence. {described}."))


def draw_confidence(probabilities: np.ndarray, right: np.ndarray) -> Plot:
    """Return the histogram of the predicted label's probability (n,), right and wrong predictions apart."""
    edges = np.linspace(0, 1, 2 * _BINS + 1)
    right_counts, wrong_counts = (np.histogram(probabilities[right == side], edges)[0] for side in (1, 0))
    canvas = _Canvas((0.0, 1.0), (0.0, float(max((right_counts + wrong_counts).max(), 1))))
    canvas.grid("{:,.0f}".format, whole=True)
    canvas.below(ticks(0, 1, 5), "confidence", _round_percent)
    for low, high, hits, misses in zip(edges, edges[1:], right_counts, wrong_counts, strict=False):
        if hits:
            canvas.bar(low, high, 0, hits, "first")
        if misses:
            canvas.bar(low, high, hits, hits + misses, "wrong")
    hits = int(right.sum())
    described = f"Number of pictures by confidence: {hits} right, {len(right) - hits} wrong."
    return Plot("Pictures by confidence", canvas.svg(described), [("right", "first"), ("wrong", "wrong")])


def draw_front(points: Sequence[tuple[float, float, str, bool]], title: str, unit: str, described: str) -> Plot:
    """Return a scatter of (x, accuracy, name, on the front); the front, from left to right, is joined by a line."""
    accuracies = [y for _, y, _, _ in points]
    low = max(0.0, min(accuracies) - 0.15 * (max(accuracies) - min(accuracies)) - 0.01)
    canvas = _Canvas((0.0, 1.1 * max(x for x, _, _, _ in points)), (low, min(1.0, max(accuracies) + (1 - low) * 0.1)))
    canvas.grid(lambda value: f"{100 * value:.3g} %")
    canvas.below(ticks(*canvas.across, 5), unit)
    canvas.curve(sorted((x, y) for x, y, _, best in points if best), "second")
    for x, y, name, best in points:
        canvas.dot(x, y, name, "first" if best else "second")
    return Plot(title, canvas.svg(described), [("not beaten in both", "first"), ("beaten", "second")])


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Return round numbers from `low` to `high`, about `most` of them at most; whole numbers only if `whole`."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * (1 - 1e-9))
    if whole:
        step = float(max(1, math.ceil(step)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(place * step, 12) for place in range(first, last + 1)]


class _Canvas:
    """Marks added in the data's coordinates. `across` and `up` are the lowest and highest value of x and y."""

    def __init__(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        self.across, self.up = across, up
        self._marks: list[Markup] = []

    def _x(self, value: float) -> float:
        return _LEFT + (value - self.across[0]) / (self.across[1] - self.across[0]) * (_RIGHT - _LEFT)

    def _y(self, value: float) -> float:
        return _BOTTOM - (value - self.up[0]) / (self.up[1] - self.up[0]) * (_BOTTOM - _TOP)

    def grid(self, written: Callable[[float], str], *, whole: bool = False) -> None:
        for value in ticks(*self.up, 4, whole=whole):
            y = self._y(value)
            self._marks += [
                _LINE.format("grid", _LEFT, y, _RIGHT, y),
                _TEXT.format(_LEFT - 6, y + 4, "end", written(value)),
            ]

    def below(self, values: Sequence[float], title: str, written: Callable[[float], str] = "{:g}".format) -> None:
        self._marks.append(_LINE.format("axis", _LEFT, _BOTTOM, _RIGHT, _BOTTOM))
        self._marks += [_TEXT.format(self._x(value), _BOTTOM + 16, "middle", written(value)) for value in values]
        self._marks.append(_TEXT.format((_LEFT + _RIGHT) / 2, _HEIGHT - 5, "middle", title))

    def bar(self, left: float, right: float, low: float, high: float, kind: str) -> None:
        """Add a bar, high enough to be seen however small its share is."""
        gap = 0.08 * (self._x(right) - self._x(left))
        width = self._x(right) - self._x(left) - 2 * gap
        height = max(self._y(low) - self._y(high), _LEAST)
        top = max(self._y(low) - height, _TOP)
        self._marks.append(_RECT.format(f"fill {kind}", self._x(left) + gap, top, width, height))

    def curve(self, points: Iterable[tuple[float, float]], kind: str) -> None:
        placed = [(self._x(x), self._y(y)) for x, y in points]
        self._marks.append(_PATH.format(f"curve {kind}", " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)))
        if len(placed) == 1:
            self._marks.append(_DOT.format(f"fill {kind}", *placed[0]))

    def dot(self, x: float, y: float, name: str, kind: str) -> None:
        self._marks.append(_DOT.format(f"fill {kind}", self._x(x), self._y(y)))
        self._marks.append(_TEXT.format(self._x(x) + 6, self._y(y) - 5, "start", name))

    def svg(self, described: str) -> Markup:
        return _SVG.format(_WIDTH, _HEIGHT, described, Markup("").join(self._marks))


def _round_percent(value: float) -> str:
    """Return a place of a scale, which is a whole percentage."""
    return f"{100 * value:.0f} %"
