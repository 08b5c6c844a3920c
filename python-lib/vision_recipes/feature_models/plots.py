"""Plots of a training: bars with intervals, and predicted against true numbers as inline SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

_SIDE, _LEFT, _BOTTOM, _TOP = 320.0, 62.0, 280.0, 10.0
_DOTS = 1500
_SVG = Markup('<svg role="img" viewBox="0 0 {0:g} {0:g}" aria-label="{1}">{2}</svg>')
_DOT = Markup('<circle class="fill first" r="2.2" cx="{:.1f}" cy="{:.1f}" opacity=".55"/>')
_LINE = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
_TEXT = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')


@dataclass(frozen=True)
class Bar:
    """A bar: its name, what is said beside it, its value, and its places on the scale in percent."""

    name: str
    detail: str
    value: str
    interval: str
    width: float
    low: float
    high: float


def bars(
    named: Sequence[tuple[str, str, float]], ends: Sequence[tuple[float, float]], written: Callable[[float], str]
) -> list[Bar]:
    """Return bars of (name, detail, value) with their intervals, on one scale from 0 to the largest end."""
    most = max((max(abs(value), abs(high)) for (_, _, value), (_, high) in zip(named, ends, strict=True)), default=1.0)
    unit = 100 / (most or 1.0)

    def place(value: float) -> float:
        return min(100.0, max(0.0, value * unit))

    return [
        Bar(name, detail, written(value), f"{written(low)} to {written(high)}", place(value), place(low), place(high))
        for (name, detail, value), (low, high) in zip(named, ends, strict=True)
    ]


def draw_predicted(truth: np.ndarray, predicted: np.ndarray) -> Markup:
    """Return predicted against true numbers (n,) as SVG, with logarithmic scales where all are far above 0."""
    low, high = (float(pick([pick(truth), pick(predicted)])) for pick in (np.min, np.max))
    log = low > 0 and high / low > 30
    step = np.log if log else np.asarray
    start, end = (float(step(np.float64(one) / max(abs(low), abs(high), 1e-300))) for one in (low, high))
    span = end - start or 1.0
    unit = max(abs(low), abs(high), 1e-300)

    def placed(values: np.ndarray) -> np.ndarray:
        return np.asarray((step(values / unit) - start) / span)

    drawn = slice(None, None, max(1, len(truth) // _DOTS))
    across = _LEFT + placed(truth[drawn]) * (_SIDE - _LEFT - 10)
    up = _BOTTOM - placed(predicted[drawn]) * (_BOTTOM - _TOP)
    right = _SIDE - 10
    marks = [_LINE.format("axis", _LEFT, _BOTTOM, right, _BOTTOM), _LINE.format("axis", _LEFT, _TOP, _LEFT, _BOTTOM)]
    marks.append(_LINE.format("axis", _LEFT, _BOTTOM, right, _TOP))
    for part, value in ((0.0, low), (1.0, high)):
        text = f"{value:,.3g}" if abs(value) < 1e4 or abs(value) >= 1e15 else f"{value:,.0f}"
        marks.append(_TEXT.format(_LEFT + part * (right - _LEFT), _BOTTOM + 16, "end" if part else "start", text))
        marks.append(_TEXT.format(_LEFT - 4, _BOTTOM - part * (_BOTTOM - _TOP - 8), "end", text))
    marks.append(_TEXT.format((_LEFT + right) / 2, _BOTTOM + 32, "middle", "true value"))
    marks += [_DOT.format(x, y) for x, y in zip(across, up, strict=True)]
    described = f"Predicted against true values of {len(truth):,} rows; on the diagonal both are equal."
    return _SVG.format(_SIDE, described, Markup("").join(marks))
