"""Eggs of many hens and other birds, whole, halved and fried."""

from __future__ import annotations

import numpy as np

from sample_pictures.canvas import AXIS, Canvas, Paint, Pose
from sample_pictures.grounds import tinted
from sample_pictures.noise import blurred, smooth
from sample_pictures.paints import banded, mottled, plain, speckled

SHELLS = (
    ((0.97, 0.95, 0.92), (0.88, 0.85, 0.8)),
    ((0.93, 0.8, 0.66), (0.78, 0.55, 0.38)),
    ((0.7, 0.45, 0.3), (0.5, 0.28, 0.18)),
    ((0.72, 0.86, 0.84), (0.5, 0.72, 0.74)),
    ((0.72, 0.72, 0.55), (0.5, 0.52, 0.36)),
)
"""Colours of shells, from and to: white, cream, brown, blue, olive."""


def egg_profile(rng: np.random.Generator) -> np.ndarray:
    """Return the half width of an egg along its axis: an ellipse, one end more pointed than the other."""
    slim, point = rng.uniform(0.7, 0.82), rng.uniform(0.14, 0.28)
    return slim * np.sqrt(1 - AXIS**2) * (1 + point * AXIS) / (1 + point**2 / 2)


def shell(rng: np.random.Generator, shape: tuple[int, int]) -> Paint:
    """Return the skin of an egg: a natural shade, often clouded or speckled, now and then painted for Easter."""
    if rng.random() < 0.05:
        return banded(rng.uniform(0.1, 1, 3), rng.uniform(0.3, 1, 3), rng.uniform(2, 4))
    low, high = SHELLS[rng.choice(len(SHELLS), p=(0.3, 0.25, 0.2, 0.13, 0.12))]
    colour = tinted(rng, low, high)
    skin = mottled(smooth(rng, shape, 12, 2), plain(colour), colour * 0.8, 0.35)
    if rng.random() < 0.35:
        dark = colour * rng.uniform(0.25, 0.65)
        return speckled(rng, skin, dark, int(rng.integers(15, 60)), rng.uniform(0.02, 0.06))
    return skin


def add_egg(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay one whole egg."""
    bumps = smooth(rng, canvas.shape, 70) * rng.uniform(0, 0.25)
    canvas.add_body(pose, egg_profile(rng), shell(rng, canvas.shape), rng.uniform(0.03, 0.3), bumps)


def add_fried_egg(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a fried egg: an uneven white with a yolk on it."""
    _add_blob(rng, canvas, pose, np.array([0.97, 0.96, 0.92]), 3.0)
    yolk = tinted(rng, (0.93, 0.55, 0.05), (1.0, 0.8, 0.15))
    off = rng.normal(0, 0.15, 2) * pose.size
    disc = np.sqrt(np.clip(1 - AXIS**2, 0, 1))
    centre = Pose(pose.x + off[0], pose.y + off[1], pose.size * rng.uniform(0.32, 0.45))
    canvas.add_body(centre, disc, plain(yolk), 0.35)


def add_half_egg(rng: np.random.Generator, canvas: Canvas, pose: Pose) -> None:
    """Lay a boiled egg cut lengthwise: the white, and the round yolk in its wide end."""
    profile = egg_profile(rng)
    for scale, colour, height in (
        (1.0, np.array([0.97, 0.97, 0.94]), pose.size * 0.25),
        (0.98, np.array([0.95, 0.94, 0.9]), 0.0),
    ):
        canvas.add_slab(_outline(canvas, pose, profile, scale), colour, height, 3.0)
    yolk = tinted(rng, (0.9, 0.6, 0.1), (1.0, 0.85, 0.4))
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    centre = Pose(pose.x - sin * 0.18 * pose.size, pose.y + cos * 0.18 * pose.size, pose.size * rng.uniform(0.4, 0.5))
    canvas.add_slab(_outline(canvas, centre, np.sqrt(np.clip(1 - AXIS**2, 0, 1)), 1.0), yolk, 0.5, 2.0)


def _outline(canvas: Canvas, pose: Pose, profile: np.ndarray, scale: float) -> np.ndarray:
    across = np.concatenate([profile, -profile[::-1]]) * pose.size * scale
    along = np.concatenate([AXIS, AXIS[::-1]]) * pose.size * scale
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    return canvas.polygon(np.stack([pose.x + cos * across - sin * along, pose.y + sin * across + cos * along], -1))


def _add_blob(rng: np.random.Generator, canvas: Canvas, pose: Pose, colour: np.ndarray, height: float) -> None:
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    waves = sum(rng.normal(0, 0.16 / n) * np.cos(n * turn + rng.uniform(0, 6.3)) for n in range(2, 7))
    reach = pose.size * (1 + waves)
    points = np.stack([pose.x + reach * np.cos(turn), pose.y + reach * np.sin(turn)], -1)
    canvas.add_slab(blurred(canvas.polygon(points), 1.0), colour, height, 3.0)
