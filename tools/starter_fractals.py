"""Fractals as classes, after Kataoka et al., "Pre-training without natural images" (ACCV 2020).

Each class is one random iterated function system; its pictures shake, turn, scale and ink it.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter
from starter_pictures import SIDE, background, unlike


def system(seed: int) -> np.ndarray:
    """Return one iterated function system, maps of (a b c d e f), whose attractor is neither a point nor a blot."""
    rng = np.random.default_rng([77, seed])
    while True:
        maps = rng.uniform(-1, 1, (int(rng.integers(2, 6)), 6))
        sizes = np.abs(maps[:, 0] * maps[:, 3] - maps[:, 1] * maps[:, 2])
        if sizes.max() > 0.75 or sizes.sum() < 0.35:
            continue
        if max(np.linalg.norm(m[:4].reshape(2, 2), 2) for m in maps) > 0.98:
            continue
        points = _orbit(np.random.default_rng(1), maps)
        filled = len({(int(p[0] * 32), int(p[1] * 32)) for p in points}) / 1024
        if 0.12 < filled < 0.6:
            return maps


def _orbit(rng: np.random.Generator, maps: np.ndarray) -> np.ndarray:
    """Return points of the attractor, scaled to 0..1: many walkers, few steps."""
    chances = np.abs(maps[:, 0] * maps[:, 3] - maps[:, 1] * maps[:, 2]) + 0.02
    points, found = np.zeros((400, 2)), []
    for step in range(32):
        chosen = maps[rng.choice(len(maps), 400, p=chances / chances.sum())]
        x, y = points[:, 0], points[:, 1]
        points = np.stack(
            [chosen[:, 0] * x + chosen[:, 1] * y + chosen[:, 4], chosen[:, 2] * x + chosen[:, 3] * y + chosen[:, 5]], -1
        )
        if step > 8:
            found.append(points)
    cloud = np.concatenate(found)
    low, high = np.percentile(cloud, 1, 0), np.percentile(cloud, 99, 0)
    return np.clip((cloud - low) / np.maximum(high - low, 1e-6), 0, 0.999)


def fractal(rng: np.random.Generator, maps: np.ndarray) -> np.ndarray:
    """Return a picture of one fractal, its system shaken a little, turned, scaled and inked."""
    points = _orbit(rng, maps * rng.uniform(0.88, 1.12, maps.shape)) - 0.5
    angle, scale = rng.uniform(-0.6, 0.6), rng.uniform(0.5, 0.95) * SIDE * rng.uniform(0.85, 1.15, 2)
    if rng.random() < 0.5:
        points[:, 0] *= -1
    x = (np.cos(angle) * points[:, 0] + np.sin(angle) * points[:, 1]) * scale[0] + SIDE * rng.uniform(0.4, 0.6)
    y = (np.cos(angle) * points[:, 1] - np.sin(angle) * points[:, 0]) * scale[1] + SIDE * rng.uniform(0.4, 0.6)
    ink = np.histogram2d(y, x, SIDE, [[0, SIDE], [0, SIDE]])[0]
    soft = Image.fromarray((np.clip(ink / rng.uniform(1.0, 3.0), 0, 1) * 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.1)))
    )
    mask = np.clip(np.asarray(soft) / 255 * 1.6, 0, 1)
    under = background(rng)
    over = unlike(rng, under.mean((0, 1)))
    return under + (over - under) * mask[..., None]
