"""Saliency maps: figures that describe one, and pixels hidden for the deletion test."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

BORDER = 0.1
"""The border is a tenth of the picture's side all around: 36 % of its area."""
HIDDEN = 0.2
"""The fraction of the pixels that the deletion test hides."""
NO_SALIENCY = "no part of the picture speaks for this label"
NO_MORE = "hiding the most salient fifth lowers the probability no more than hiding a random fifth"
HARDLY_MORE = "hiding the most salient fifth lowers the probability hardly more than hiding a random fifth"
_MARGIN = 0.02
"""The least difference of two drops in probability that says something."""


def enlarge(saliency: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a map at the size of its picture, float32, bilinear, with sum 1 unless it is all 0."""
    image = Image.fromarray(saliency.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    large = np.maximum(np.asarray(image), 0.0)
    total = float(large.sum())
    return large / total if total > 0 else np.zeros_like(large)


def describe(saliency: np.ndarray) -> dict[str, float]:
    """Return the figures of an enlarged map (height, width) by their columns in EXPLAINED; none of a map that is 0.

    They are its fraction at the border, its centre, from 0 to 1 of width and height, and `extent`: the smallest
    fraction of the area with half of the saliency.
    """
    total = float(saliency.sum())
    if total <= 0:
        return {}
    height, width = saliency.shape
    rim_y, rim_x = max(1, round(height * BORDER)), max(1, round(width * BORDER))
    inside = float(saliency[rim_y : height - rim_y, rim_x : width - rim_x].sum()) / total
    ys, xs = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    cumulative = np.cumsum(np.sort(saliency, axis=None)[::-1])
    half = int(np.searchsorted(cumulative, total / 2)) + 1
    return {
        "border_share": 1 - inside,
        "centre_x": float(saliency.sum(axis=0) @ xs) / total,
        "centre_y": float(saliency.sum(axis=1) @ ys) / total,
        "extent": min(1.0, half / saliency.size),
    }


def warning(figures: Mapping[str, float]) -> str:
    """Return why a map says little, empty when it does not; `figures` are those of its row, with the deletion test."""
    if "border_share" not in figures:
        return NO_SALIENCY
    hottest, random = figures.get("drop_hottest"), figures.get("drop_random")
    if hottest is None or random is None or hottest >= random + _MARGIN:
        return ""
    return NO_MORE if hottest <= random else HARDLY_MORE


def hide(pixels: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the picture with the first HIDDEN of its pixels in `order` replaced by its mean colour."""
    hidden = pixels.reshape(-1, 3).copy()
    hidden[order[: round(HIDDEN * len(hidden))]] = pixels.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    return hidden.reshape(pixels.shape)


def most_salient_first(saliency: np.ndarray) -> np.ndarray:
    """Return the indices of the pixels, highest saliency first."""
    return np.argsort(-saliency, axis=None, kind="stable")


def random_order(shape: tuple[int, int], side: int, random: np.random.Generator) -> np.ndarray:
    """Return the indices of the pixels in random order, complete squares of `side` pixels at a time."""
    rows, columns = -(-shape[0] // side), -(-shape[1] // side)
    ranks = np.kron(random.permutation(rows * columns).reshape(rows, columns), np.ones((side, side), int))
    return np.argsort(ranks[: shape[0], : shape[1]], axis=None, kind="stable")
