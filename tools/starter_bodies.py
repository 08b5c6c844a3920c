"""Solid bodies as classes: turned on a lathe, with a random profile and a colour scheme of its own, or rounded.

Turned bodies tell the network that outline, roughness and colour belong together; rounded ones, of any colour, that
small differences in proportion, taper and surface matter (superellipses: balls, ovals, eggs, lenses, cushions).
"""

from __future__ import annotations

import colorsys
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from starter_pictures import SIDE, background, colour

sys.path.append(str(Path(__file__).resolve().parents[1] / "examples" / "sample-pictures" / "python-lib"))

from sample_pictures.canvas import AXIS, Canvas, Light, Paint, Pose
from sample_pictures.grounds import add_nest, add_plate, ground
from sample_pictures.noise import smooth
from sample_pictures.paints import banded, mottled, plain, speckled

PLACES = np.linspace(-1, 1, 65)
STAGE = 144
"""Bodies are laid in pictures of so many pixels a side, which are then made smaller."""


@dataclass(frozen=True)
class Body:
    """One class: half width at PLACES, colour (hue, saturation, value; None: any), pattern, roughness and shine."""

    profile: np.ndarray
    colour: tuple[float, float, float] | None
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


def rounded(slim: float, taper: float, *, square: float = 2.0, rough: float = 0.0, pattern: int = 0) -> Body:
    """Return a rounded body: its width against its length, how much thinner one end is, how square its outline is."""
    profile = slim * np.clip(1 - np.abs(PLACES) ** square, 0, 1) ** (1 / square) * (1 + taper * PLACES)
    return Body(profile / max(1.0, profile.max()), None, pattern, rough, 0.0 if rough else 0.2)


ROUNDED = (
    rounded(1.0, 0.0),
    rounded(1.0, 0.0, pattern=1),
    rounded(1.0, 0.0, rough=5),
    rounded(0.75, 0.0),
    rounded(0.75, 0.0, rough=5),
    rounded(0.75, 0.2),
    rounded(0.75, 0.2, pattern=3),
    rounded(0.75, 0.2, rough=5),
    rounded(0.75, 0.55),
    rounded(0.75, 0.55, rough=5),
    rounded(0.45, 0.0),
    rounded(0.45, 0.0, rough=5),
    rounded(0.45, 0.4),
    rounded(0.8, 0.0, square=4.5),
    rounded(0.8, 0.0, square=4.5, rough=5),
    rounded(0.85, 0.0, square=1.3),
    rounded(0.55, 0.0, square=1.2),
)


def lathed(rng: np.random.Generator, what: Body) -> np.ndarray:
    """Return a picture of one to three such bodies, each with its shadow, in the light of one lamp."""
    canvas = Canvas(_stage(rng), Light.drawn(rng))
    count = int(rng.choice([1, 2, 3], p=[0.65, 0.22, 0.13]))
    size = rng.uniform(0.28, 0.46) * STAGE / count**0.4
    centre = STAGE * (0.5 + rng.normal(0, 0.06, 2))
    spread = STAGE * (0.05 if count == 1 else 0.24)
    places = [
        centre + rng.uniform(-spread, spread, 2) + (number - (count - 1) / 2) * np.array([0.2 * STAGE, 0])
        for number in range(count)
    ]
    rest = rng.random()
    if rest < 0.25:
        add = add_plate if rest < 0.12 else add_nest
        add(rng, canvas, *centre, (size + (0 if count == 1 else spread)) * rng.uniform(1.0, 1.5))
    profile = np.interp(AXIS, PLACES, what.profile)
    for x, y in sorted(places, key=lambda place: place[1]):
        bumps = smooth(rng, canvas.shape, 30, 3) * what.rough * rng.uniform(0.7, 1.3) if what.rough else None
        pose = Pose(x, y, size * rng.uniform(0.88, 1.12), rng.uniform(-np.pi, np.pi))
        canvas.add_body(pose, profile, _skin(rng, what), what.shine * rng.uniform(0.3, 1.2), bumps)
    picture = Image.fromarray((np.clip(canvas.pixels, 0, 1) * 255).astype(np.uint8))
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX)) / 255


def _stage(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.7:
        return ground(rng, (STAGE, STAGE))
    small = Image.fromarray((np.clip(background(rng), 0, 1) * 255).astype(np.uint8))
    return np.asarray(small.resize((STAGE, STAGE), Image.Resampling.BICUBIC), np.float32) / 255


def _skin(rng: np.random.Generator, what: Body) -> Paint:
    """Return the paint of one body: its class' colour, or any, and its pattern."""
    hue, saturation, value = what.colour or colorsys.rgb_to_hsv(*colour(rng))
    shade = (hue + rng.normal(0, 0.025)) % 1, np.clip(saturation + rng.normal(0, 0.08), 0, 1)
    main = np.array(colorsys.hsv_to_rgb(*shade, np.clip(value * rng.uniform(0.85, 1.15), 0, 1)))
    if what.pattern == 1:
        return banded(main, main * 0.45, 1.5, sharp=3)
    if what.pattern == 2:
        return banded(main, main * 0.45, 11, lengthwise=True, sharp=0.5)
    if what.pattern == 3:
        return speckled(rng, plain(main), main * rng.uniform(0.25, 0.6), int(rng.integers(15, 50)), 0.06)
    return mottled(smooth(rng, (STAGE, STAGE), 12, 2), plain(main), main * 0.6, rng.uniform(0, 0.6))
