"""A heat map laid over its picture, and what can be said of it in numbers."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

BORDER = 0.1
"""The border is a tenth of the picture's side all around: 36 % of its area."""
HIDDEN = 0.2
"""The part of the pixels that the deletion test hides."""
_COLOURS = np.array([(20, 11, 53), (120, 28, 109), (237, 105, 37), (252, 255, 164)], np.float32)
_STRONGEST = 0.75


@dataclass(frozen=True)
class Figures:
    """Numbers on a heat map: `border` is its share at the border; the centre in parts of width and height.

    `extent` is the smallest part of the area that holds half of the heat. All are None for a map without heat.
    """

    border: float | None = None
    centre_x: float | None = None
    centre_y: float | None = None
    extent: float | None = None


def enlarge(heat: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a map at the size of its picture, float32, bilinear, in sum 1 unless it is all 0."""
    large = np.asarray(Image.fromarray(heat.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR))
    large = np.maximum(large, 0.0)
    total = float(large.sum())
    return large / total if total > 0 else np.zeros_like(large)


def describe(heat: np.ndarray) -> Figures:
    """Return the figures of an enlarged map."""
    total = float(heat.sum())
    if total <= 0:
        return Figures()
    height, width = heat.shape
    rim_y, rim_x = max(1, round(height * BORDER)), max(1, round(width * BORDER))
    inside = float(heat[rim_y : height - rim_y, rim_x : width - rim_x].sum()) / total
    ys, xs = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    falling = np.cumsum(np.sort(heat, axis=None)[::-1])
    half = int(np.searchsorted(falling, total / 2)) + 1
    return Figures(
        1 - inside,
        float(heat.sum(axis=0) @ xs) / total,
        float(heat.sum(axis=1) @ ys) / total,
        min(1.0, half / heat.size),
    )


def overlay(pixels: np.ndarray, heat: np.ndarray) -> bytes:
    """Return a JPEG of the picture beside itself under the heat: grey where nothing counts, bright where much does."""
    most = float(heat.max())
    strength = (heat / most if most > 0 else heat)[..., None].astype(np.float32)
    places = strength[..., 0] * (len(_COLOURS) - 1)
    low = np.minimum(places.astype(int), len(_COLOURS) - 2)
    part = (places - low)[..., None]
    colour = _COLOURS[low] * (1 - part) + _COLOURS[low + 1] * part
    grey = pixels.mean(axis=2, keepdims=True).astype(np.float32)
    mixed = grey * 0.85 * (1 - _STRONGEST * strength) + colour * _STRONGEST * strength
    pair = np.concatenate([pixels, np.clip(mixed, 0, 255).astype(np.uint8)], axis=1)
    stream = io.BytesIO()
    Image.fromarray(pair).save(stream, "JPEG", quality=88)
    return stream.getvalue()


def hide(pixels: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the picture with the HIDDEN part of its pixels, those that come first in `order`, in its mean colour."""
    hidden = pixels.reshape(-1, 3).copy()
    hidden[order[: round(HIDDEN * len(hidden))]] = pixels.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    return hidden.reshape(pixels.shape)


def hottest(heat: np.ndarray) -> np.ndarray:
    """Return the numbers of the pixels, the hottest first."""
    return np.argsort(-heat, axis=None, kind="stable")


def at_random(shape: tuple[int, int], cell: int, draw: np.random.Generator) -> np.ndarray:
    """Return the numbers of the pixels in random order, whole squares of `cell` pixels at a time."""
    rows, columns = -(-shape[0] // cell), -(-shape[1] // cell)
    luck = np.kron(draw.permutation(rows * columns).reshape(rows, columns), np.ones((cell, cell), int))
    return np.argsort(luck[: shape[0], : shape[1]], axis=None, kind="stable")
