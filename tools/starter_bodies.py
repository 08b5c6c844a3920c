"""Solid bodies as classes: each has a random profile, turned on a lathe, and a colour scheme of its own.

They tell the network that outline, roughness and colour belong together. Smooth ovals are left out.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter
from starter_pictures import SIDE, Field, background, noise, painted

PLACES = np.linspace(-1, 1, 65)


@dataclass(frozen=True)
class Body:
    """One class: half width at PLACES, colour (hue, saturation, value), pattern, roughness and shine."""

    profile: np.ndarray
    colour: tuple[float, float, float]
    pattern: int
    rough: float
    shine: float


def body(seed: int) -> Body:
    """Return the body of a class."""
    rng = np.random.default_rng([80, seed])
    while True:
        knots = rng.uniform(0.12, 1.0, int(rng.integers(3, 7)))
        profile = np.interp(PLACES, np.linspace(-1, 1, len(knots)), knots)
        bell = np.hanning(13)
        profile = np.convolve(np.pad(profile, 6, mode="edge"), bell / bell.sum(), mode="valid")
        profile *= np.clip(1 - np.abs(PLACES) ** rng.uniform(6, 40), 0, 1) ** 0.5
        inner = profile[8:-8]
        if np.diff(np.sign(np.diff(inner, 2))).astype(bool).sum() >= 3 and profile.max() > 0.45:
            break
    rough = rng.uniform(2, 8) if rng.random() < 0.4 else 0.0
    scheme = (rng.random(), rng.uniform(0, 1), rng.uniform(0.25, 1))
    return Body(profile, scheme, int(rng.integers(4)), rough, 0.0 if rough else rng.uniform(0, 0.7))


def lathed(rng: np.random.Generator, what: Body) -> np.ndarray:
    """Return a picture of one to three such bodies, each with its shadow, in the light of one lamp."""
    picture = background(rng)
    way = np.array([*rng.normal(0, 1, 2), rng.uniform(0.5, 1.8)])
    way /= np.linalg.norm(way)
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    size = rng.uniform(0.3, 0.48) * SIDE / count**0.35
    hue, saturation, value = what.colour
    for number in range(count):
        spread = SIDE * (0.08 if count == 1 else 0.26)
        x, y = SIDE / 2 + rng.uniform(-spread, spread, 2) + (number - (count - 1) / 2) * np.array([18, 0])
        angle = rng.uniform(-np.pi, np.pi)
        down, right = np.mgrid[0:SIDE, 0:SIDE]
        across = (np.cos(angle) * (right - x) + np.sin(angle) * (down - y)) / size
        along = (np.cos(angle) * (down - y) - np.sin(angle) * (right - x)) / size
        half = np.interp(along, PLACES, what.profile, left=0, right=0)
        slope = np.interp(along, PLACES, np.gradient(what.profile, PLACES))
        depth = np.sqrt(np.clip(half**2 - across**2, 0, None))
        mask = np.clip((half - np.abs(across)) * size / np.sqrt(1 + slope**2) + 0.5, 0, 1) * (np.abs(along) < 1)
        picture = picture * (1 - rng.uniform(0.3, 0.8) * _shadow(mask, way, size))[..., None]
        lean = np.stack([across, -half * slope, depth + 1e-3], -1)
        lean /= np.linalg.norm(lean, axis=-1, keepdims=True)
        if what.rough:
            bumps = noise(rng, 14, 3) * what.rough
            lean[..., 0] -= np.gradient(bumps, axis=1)
            lean[..., 1] -= np.gradient(bumps, axis=0)
            lean /= np.linalg.norm(lean, axis=-1, keepdims=True)
        cos, sin = np.cos(angle), np.sin(angle)
        facing = (cos * lean[..., 0] - sin * lean[..., 1]) * way[0] + (sin * lean[..., 0] + cos * lean[..., 1]) * way[1]
        facing = np.clip(facing + lean[..., 2] * way[2], 0, 1)
        shade = (hue + rng.normal(0, 0.025)) % 1, np.clip(saturation + rng.normal(0, 0.08), 0, 1)
        main = np.array(colorsys.hsv_to_rgb(*shade, np.clip(value * rng.uniform(0.85, 1.15), 0, 1)))
        skin = painted(main, main * 0.45, _pattern(rng, what.pattern, np.arctan2(across, depth + 1e-3), along))
        ambient = rng.uniform(0.25, 0.5)
        lit = skin * (ambient + (1.1 - ambient) * facing)[..., None] + (what.shine * facing**25)[..., None]
        picture = picture + (lit - picture) * mask[..., None]
    return picture


def _pattern(rng: np.random.Generator, kind: int, turn: Field, along: Field) -> Field:
    if kind == 1:
        return 0.5 + 0.5 * np.tanh(6 * np.sin(along * 9))
    if kind == 2:
        return 0.5 + 0.5 * np.sin(turn * 11)
    return noise(rng, 9, 2) * (0.3 if kind == 0 else 0.9)


def _shadow(mask: Field, way: np.ndarray, size: float) -> Field:
    dark = Image.fromarray((mask * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.1 * size + 1))
    away = -way[:2] / way[2] * size * 0.2
    return np.roll(np.asarray(dark) / 255, (round(away[1]), round(away[0])), (0, 1))
