"""Skins for drawn bodies: how colour varies around and along them."""

from __future__ import annotations

import numpy as np

from sample_pictures.canvas import Paint, Skin


def plain(colour: np.ndarray, towards: np.ndarray | None = None) -> Paint:
    """Return one colour, or a gradient from `colour` at the top to `towards` at the bottom."""

    def paint(skin: Skin) -> np.ndarray:
        mix = np.clip(skin.along * 0.5 + 0.5, 0, 1)
        return colour + ((colour if towards is None else towards) - colour) * mix[..., None]

    return paint


def speckled(rng: np.random.Generator, under: Paint, spot: np.ndarray, spots: int, size: float) -> Paint:
    """Return a skin with random spots, `size` their radius in half lengths."""
    turns, places = rng.uniform(-1.6, 1.6, spots), rng.uniform(-1, 1, spots)
    sizes, strengths = size * rng.lognormal(0, 0.5, spots), rng.uniform(0.5, 1.0, spots)

    def paint(skin: Skin) -> np.ndarray:
        colours = under(skin)
        cover = np.zeros_like(skin.along)
        for at, place, radius, strength in zip(turns, places, sizes, strengths, strict=True):
            apart = ((skin.turn - at) * 0.7) ** 2 + (skin.along - place) ** 2
            cover = np.maximum(cover, strength * np.clip(1.5 - apart / radius**2, 0, 1))
        return colours + (spot - colours) * cover[..., None]

    return paint


def banded(one: np.ndarray, two: np.ndarray, bands: float, *, lengthwise: bool = False, sharp: float = 8.0) -> Paint:
    """Return a skin with bands around the axis, or along it when `lengthwise`."""

    def paint(skin: Skin) -> np.ndarray:
        wave = np.sin(skin.turn * bands) if lengthwise else np.sin(skin.along * np.pi * bands)
        mix = np.clip(0.5 + sharp * wave, 0, 1)
        return one + (two - one) * mix[..., None]

    return paint


def mottled(field: np.ndarray, under: Paint, other: np.ndarray, strength: float) -> Paint:
    """Return a skin clouded with another colour; `field` is noise of 0..1, as large as the picture."""

    def paint(skin: Skin) -> np.ndarray:
        colours = under(skin)
        return colours + (other - colours) * (strength * field[skin.window])[..., None]

    return paint
