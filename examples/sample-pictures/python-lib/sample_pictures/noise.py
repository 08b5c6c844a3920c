"""Smooth randomness: the stuff that wood, cloth, stone and shadow are made of."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter


def smooth(rng: np.random.Generator, shape: tuple[int, int], hills: float, octaves: int = 1) -> np.ndarray:
    """Return value noise in 0..1, float32 of `shape` (height, width), about `hills` hills along the longer side."""
    height, width = shape
    total, weight = np.zeros(shape, np.float32), 0.0
    for octave in range(octaves):
        density = hills * 2**octave / max(shape)
        grid = rng.random((max(2, round(height * density) + 2), max(2, round(width * density) + 2)), dtype=np.float32)
        amplitude = 0.5**octave
        total += amplitude * np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC))
        weight += amplitude
    return np.clip(total / weight, 0.0, 1.0)


def streaks(rng: np.random.Generator, shape: tuple[int, int], along: float, across: float) -> np.ndarray:
    """Return noise in 0..1 with `along` hills from left to right and `across` from top to bottom, as in wood grain."""
    grid = rng.random((max(2, round(across)), max(2, round(along))), dtype=np.float32)
    big = Image.fromarray(grid).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(big), 0.0, 1.0)


def blurred(mask: np.ndarray, radius: float) -> np.ndarray:
    """Return a mask of 0..1 softened by a Gaussian of `radius` pixels."""
    picture = Image.fromarray((np.clip(mask, 0.0, 1.0) * 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(float(radius))), np.float32) / 255


def mixed(under: np.ndarray, over: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return `over` laid on `under` where `alpha` (height, width) is 1."""
    return under + (over - under) * alpha[..., None]


def shifted(mask: np.ndarray, right: int, down: int) -> np.ndarray:
    """Return the mask moved by whole pixels, with nothing where it came from."""
    height, width = mask.shape
    moved = np.zeros_like(mask)
    rows, columns = max(0, height - abs(down)), max(0, width - abs(right))
    to = np.s_[max(0, down) : max(0, down) + rows, max(0, right) : max(0, right) + columns]
    moved[to] = mask[max(0, -down) : max(0, -down) + rows, max(0, -right) : max(0, -right) + columns]
    return moved
