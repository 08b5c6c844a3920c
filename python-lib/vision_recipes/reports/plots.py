"""Plots as inline SVG, drawn by Matplotlib in colours that follow the page's light or dark scheme."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup, escape

_COLOURS = {
    "#000001": "var(--ink)",
    "#000002": "var(--muted)",
    "#000003": "var(--line)",
    "#000004": "var(--good)",
    "#000005": "var(--bad)",
}
_INK, _MUTED, _LINE, _GOOD, _BAD = _COLOURS
_NUMBERED = re.compile(r' id="[a-z0-9.]+_\d+"|<style.*?</style>', re.DOTALL)
"""Ids, which would be repeated from plot to plot, and style rules, which would apply to the entire page."""
_SIZE = (4.2, 2.75)
_BINS = 10


def draw_curves(series: Sequence[tuple[str, Sequence[float], Sequence[float]]], title: str, described: str) -> Markup:
    """Return a line plot; `series` are name, x and y, at most two: training and validation."""
    figure, axes = _axes(title, "epoch")
    for (name, xs, ys), colour, style in zip(series, (_MUTED, _GOOD), ("--", "-"), strict=False):
        axes.plot(xs, ys, style, color=colour, label=name, linewidth=1.8, marker="o" if len(xs) < 3 else "")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, labelcolor=_INK, fontsize=9)
    return _svg(figure, described)


def draw_calibration(probabilities: np.ndarray, right: np.ndarray) -> Markup:
    """Return the reliability diagram: the accuracy in ten bins of the predicted label's probability (n,)."""
    figure, axes = _axes("Calibration (reliability diagram)", "confidence", "accuracy")
    bins = np.clip((probabilities * _BINS).astype(int), 0, _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    hits = np.bincount(bins, right, _BINS)
    seen = np.flatnonzero(counts)
    axes.plot([0, 1], [0, 1], ":", color=_MUTED, linewidth=1.2)
    axes.bar((seen + 0.5) / _BINS, hits[seen] / counts[seen], 0.84 / _BINS, color=_GOOD, alpha=0.85)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    described = "; ".join(
        f"{place / _BINS:.1f} to {(place + 1) / _BINS:.1f}: {hits[place] / counts[place]:.0%} of {counts[place]}"
        for place in seen
    )
    return _svg(figure, f"Accuracy by confidence. {described}.")


def draw_confidence(probabilities: np.ndarray, right: np.ndarray) -> Markup:
    """Return the histogram of the predicted label's probability (n,), right and wrong predictions apart."""
    figure, axes = _axes("Confidence histogram", "confidence", "pictures")
    edges = np.linspace(0, 1, 2 * _BINS + 1)
    found = [np.histogram(probabilities[right == side], edges)[0] for side in (1, 0)]
    middle, width = (edges[1:] + edges[:-1]) / 2, 0.84 / (2 * _BINS)
    axes.bar(middle, found[0], width, color=_GOOD, alpha=0.85, label="right")
    axes.bar(middle, found[1], width, bottom=found[0], color=_BAD, hatch="////", edgecolor=_LINE, label="wrong")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(0, 1)
    axes.legend(frameon=False, labelcolor=_INK, fontsize=9, loc="upper left")
    hits = int(right.sum())
    return _svg(figure, f"Number of pictures by confidence: {hits} right, {len(right) - hits} wrong.")


def _axes(title: str, below: str, left: str = "") -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    axes.set_title(title, color=_INK, fontsize=10.5, loc="left")
    axes.set_xlabel(below, color=_MUTED, fontsize=9)
    axes.set_ylabel(left, color=_MUTED, fontsize=9)
    axes.tick_params(colors=_MUTED, labelsize=9, length=0)
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_LINE)
    return figure, axes


def _svg(figure: Any, described: str) -> Markup:
    """Return a figure as an svg element that scales with its box, its text as text, `described` for screen readers."""
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": described}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = stream.getvalue()
    _, _, inside = text[text.index("<svg") :].partition(">")
    for colour, name in _COLOURS.items():
        inside = inside.replace(colour, name)
    inside = _NUMBERED.sub("", inside)
    width, height = (72 * side for side in _SIZE)
    head = f'<svg role="img" viewBox="0 0 {width:g} {height:g}" xmlns:xlink="http://www.w3.org/1999/xlink" aria-label="'
    return Markup(head) + escape(described) + Markup('">') + Markup(inside)  # noqa: S704 - Matplotlib escapes its text
