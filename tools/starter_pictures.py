"""Pictures made of formulas, for pre-training: textures, shapes, solids, fractals, pen strokes, creatures.

No photograph and no drawing of anybody's goes in. The solid bodies lie on the grounds and in the light of the
workshops' sample pictures, and some have an egg's proportions; the drawers of what those pictures show, eggs, lemons,
spoons, characters, are not used.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

SIDE = 96
Field = np.ndarray
Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Subject:
    """One class of pictures: its name, and how one of its pictures (float RGB of 0..1, SIDE x SIDE) is drawn."""

    name: str
    draw: Draw


def grid(rng: np.random.Generator, zoom: float, *, turn: float = np.pi, tilt: float = 0.3) -> tuple[Field, Field]:
    """Return x and y over the picture, -zoom..zoom, turned, sheared and seen a little from the side."""
    down, right = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle, lean = rng.uniform(-turn, turn), rng.normal(0, tilt, 2) * 0.5
    depth = 1 + np.clip(lean[0] * right + lean[1] * down, -0.6, 0.6)
    x = (np.cos(angle) * right + np.sin(angle) * down) * zoom / depth
    y = (np.cos(angle) * down - np.sin(angle) * right) * zoom / depth * rng.uniform(0.8, 1.25)
    return x, y


def noise(rng: np.random.Generator, cells: float, octaves: int = 1) -> Field:
    """Return smooth noise of 0..1 with about `cells` hills across the picture."""
    total = np.zeros((SIDE, SIDE))
    for octave in range(octaves):
        side = max(2, round(cells * 2**octave) + 1)
        hills = Image.fromarray(rng.random((side, side)).astype(np.float32)).resize(
            (SIDE, SIDE), Image.Resampling.BICUBIC
        )
        total += np.asarray(hills) * 0.5**octave
    return np.clip(total / (2 - 0.5 ** (octaves - 1)), 0, 1)


def colour(rng: np.random.Generator) -> np.ndarray:
    """Return a random colour, spread over hue, paleness and darkness."""
    return np.array(colorsys.hsv_to_rgb(rng.random(), rng.beta(1.2, 1.5), rng.uniform(0.08, 1.0)))


def two_colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return two colours that can be told apart."""
    one = colour(rng)
    return one, unlike(rng, one)


def unlike(rng: np.random.Generator, other: np.ndarray) -> np.ndarray:
    """Return a colour that stands out against another."""
    while True:
        found = colour(rng)
        if np.abs(found - other).sum() > rng.choice([0.4, 0.8, 1.0]):
            return found


def painted(one: np.ndarray, two: np.ndarray, share: Field) -> np.ndarray:
    """Return a picture of two colours mixed by a field of 0..1."""
    return one + (two - one) * np.clip(share, 0, 1)[..., None]


def _cells(rng: np.random.Generator, x: Field, y: Field) -> tuple[Field, Field, Field]:
    count = int(rng.integers(10, 32))
    points = rng.uniform(-1.6, 1.6, (count, 2)) * np.abs(x).max()
    apart = np.sqrt((x[..., None] - points[:, 0]) ** 2 + (y[..., None] - points[:, 1]) ** 2)
    nearest = np.partition(apart, 1, axis=-1)
    return nearest[..., 0], nearest[..., 1], rng.random(count)[apart.argmin(-1)]


def _bricks(x: Field, y: Field, shift: float) -> Field:
    row = np.floor(y)
    return np.minimum(np.abs((x + shift * row) % 2 - 1), np.abs(2 * (y % 1) - 1))


def _ease(field: Field, sharp: float = 8.0) -> Field:
    return 0.5 + 0.5 * np.tanh(field * sharp)


TEXTURES: dict[str, Callable[[np.random.Generator, Field, Field], Field]] = {
    "plain slope": lambda r, x, y: x * 0.12 + 0.5,
    "clouds": lambda r, x, y: noise(r, r.uniform(2, 5), 3),
    "grainy surface": lambda r, x, y: noise(r, r.uniform(30, 60), 1),
    "marble": lambda r, x, y: 0.5 + 0.5 * np.sin(x * 2 + 9 * noise(r, 4, 3)),
    "wood grain": lambda r, x, y: 0.5 + 0.5 * np.sin(12 * np.hypot(x * 0.15, y) + 3 * noise(r, 2, 2)),
    "stripes": lambda r, x, y: _ease(np.sin(x * 3)),
    "thin lines": lambda r, x, y: _ease(np.sin(x * 4) - 0.85),
    "wavy stripes": lambda r, x, y: _ease(np.sin(x * 3 + 1.4 * np.sin(y * 2))),
    "zigzag stripes": lambda r, x, y: _ease(np.sin(x * 3 + 3 * np.abs((y % 2) - 1))),
    "checks": lambda r, x, y: _ease(np.sin(x * 2.5) * np.sin(y * 2.5), 12),
    "gingham": lambda r, x, y: 0.5 * _ease(np.sin(x * 2.5)) + 0.5 * _ease(np.sin(y * 2.5)),
    "grid of lines": lambda r, x, y: _ease(np.maximum(np.sin(x * 3), np.sin(y * 3)) - 0.85),
    "dots": lambda r, x, y: _ease(np.cos(x * 3) + np.cos(y * 3) - 0.9, 3),
    "rows of rings": lambda r, x, y: _ease(0.25 - np.abs(np.hypot(x % 2 - 1, y % 2 - 1) - 0.6), 12),
    "brick pattern": lambda r, x, y: _ease(_bricks(x, y * 1.2, 1.0) - 0.12, 20),
    "tile pattern": lambda r, x, y: _ease(_bricks(x, y, 0.0) - 0.1, 20),
    "honeycomb": lambda r, x, y: _ease(
        np.cos(2.5 * x) + np.cos(1.25 * x + 2.165 * y) + np.cos(1.25 * x - 2.165 * y) + 0.9, 4
    ),
    "fish scales": lambda r, x, y: (np.hypot((x + (np.floor(y) % 2)) % 2 - 1, (y % 1) * 1.2)) * 0.9,
    "woven basket": lambda r, x, y: (
        np.where((np.floor(x) + np.floor(y)) % 2 < 1, np.sin(x % 1 * 9), np.sin(y % 1 * 9)) * 0.4 + 0.5
    ),
    "cracked ground": lambda r, x, y: (lambda c: _ease(c[1] - c[0] - 0.25, 8))(_cells(r, x, y)),
    "stained glass": lambda r, x, y: (lambda c: c[2])(_cells(r, x, y)),
    "pebbles": lambda r, x, y: (lambda c: 1 - c[0] * 0.7)(_cells(r, x, y)),
    "animal spots": lambda r, x, y: _ease(noise(r, r.uniform(8, 14)) - 0.58, 14),
    "zebra hide": lambda r, x, y: _ease(np.sin(x * 3 + 7 * noise(r, 4))),
    "rings": lambda r, x, y: _ease(np.sin(np.hypot(x, y) * 4)),
    "rays": lambda r, x, y: _ease(np.sin(np.arctan2(y, x) * int(r.integers(6, 14)))),
    "spiral": lambda r, x, y: _ease(np.sin(np.hypot(x, y) * 3 + int(r.integers(1, 4)) * np.arctan2(y, x))),
    "crossed waves": lambda r, x, y: 0.5 + 0.25 * (np.sin(x * 3 + np.sin(y)) + np.sin(y * 3 + np.sin(x * 1.3))),
}
"""Name -> share of the second colour, given random numbers and the coordinates x, y."""


def texture(rng: np.random.Generator, name: str) -> np.ndarray:
    """Return a whole picture of one texture, in two random colours."""
    x, y = grid(rng, rng.uniform(2.5, 7))
    x, y = x + rng.uniform(0, 9) * (name not in ("rings", "rays", "spiral")), y + rng.normal(0, 0.5)
    return painted(*two_colours(rng), TEXTURES[name](rng, x, y))


def background(rng: np.random.Generator) -> np.ndarray:
    """Return something to lie behind a subject: a colour, slope or texture, at times with blots and straws on it."""
    kind = rng.random()
    if kind < 0.2:
        under = np.broadcast_to(colour(rng), (SIDE, SIDE, 3)).copy()
    elif kind < 0.5:
        one = colour(rng)
        under = painted(one, one + 0.6 * (colour(rng) - one), noise(rng, rng.uniform(1, 6), 2))
    else:
        calm = rng.uniform(0.2, 0.85)
        under = texture(rng, list(TEXTURES)[rng.integers(len(TEXTURES))]) * (1 - calm) + colour(rng) * calm
    if rng.random() < 0.35:
        under = _blotted(rng, under)
    return _strewn(rng, under) if rng.random() < 0.2 else under


def _blotted(rng: np.random.Generator, under: np.ndarray) -> np.ndarray:
    """Lay a few large plain shapes."""
    for _blot in range(int(rng.integers(1, 4))):
        x, y = grid(rng, rng.uniform(1.0, 2.5))
        inside = SHAPES[list(SHAPES)[rng.integers(len(SHAPES))]](x + rng.normal(0, 0.5), y + rng.normal(0, 0.5))
        under = under + (colour(rng) - under) * np.clip(inside * 24 + 0.5, 0, 1)[..., None]
    return under


def _strewn(rng: np.random.Generator, under: np.ndarray) -> np.ndarray:
    """Strew straws of one colour, in a heap or all over, in any or much the same direction."""
    picture = Image.fromarray((np.clip(under, 0, 1) * 255).astype(np.uint8))
    pen, count, main = ImageDraw.Draw(picture), int(rng.integers(20, 160)), colour(rng) * 255
    spread, turn, unruly = rng.uniform(0.15, 0.6), rng.uniform(0, np.pi), rng.choice([0.2, 2.0])
    for x, y, lean, glow in zip(
        *rng.normal(0.5, spread, (2, count)) * SIDE,
        rng.normal(turn, unruly, count),
        rng.uniform(0.5, 1.3, count),
        strict=True,
    ):
        reach = rng.uniform(4, 16)
        shade = tuple(int(min(255, part * glow)) for part in main)
        pen.line([x, y, x + reach * np.cos(lean), y + reach * np.sin(lean)], fill=shade, width=int(rng.integers(1, 3)))
    return np.asarray(picture) / 255


def _polar(x: Field, y: Field) -> tuple[Field, Field]:
    return np.hypot(x, y), np.arctan2(y, x)


def _corners(x: Field, y: Field, sides: int) -> Field:
    reach, turn = _polar(x, y)
    wedge = 2 * np.pi / sides
    return 0.8 - reach * np.cos((turn + wedge / 2) % wedge - wedge / 2)


def _star(x: Field, y: Field, points: int, depth: float) -> Field:
    reach, turn = _polar(x, y)
    wave = np.abs(((turn * points / (2 * np.pi)) % 1) - 0.5) * 2
    return (1 - depth * (1 - wave)) - reach


def _petals(x: Field, y: Field, petals: int, depth: float) -> Field:
    reach, turn = _polar(x, y)
    return 1 - depth + depth * np.cos(petals * turn) - reach


def _box(x: Field, y: Field, wide: float, high: float) -> Field:
    return np.minimum(wide - np.abs(x), high - np.abs(y))


SHAPES: dict[str, Callable[[Field, Field], Field]] = {
    "disc": lambda x, y: 0.9 - np.hypot(x, y),
    "long oval": lambda x, y: 0.5 - np.hypot(x * 0.5, y * 1.25),
    "ring": lambda x, y: 0.22 - np.abs(np.hypot(x, y) - 0.7),
    "thin ring": lambda x, y: 0.09 - np.abs(np.hypot(x, y) - 0.8),
    "triangle": lambda x, y: _corners(x, y, 3) * 0.8 - 0.15,
    "square": lambda x, y: _box(x, y, 0.75, 0.75),
    "bar": lambda x, y: _box(x, y, 1.0, 0.28),
    "pentagon": lambda x, y: _corners(x, y, 5),
    "hexagon": lambda x, y: _corners(x, y, 6),
    "four-pointed star": lambda x, y: _star(x, y, 4, 0.65),
    "five-pointed star": lambda x, y: _star(x, y, 5, 0.55),
    "eight-pointed star": lambda x, y: _star(x, y, 8, 0.4),
    "flower of three petals": lambda x, y: _petals(x, y, 3, 0.35),
    "flower of five petals": lambda x, y: _petals(x, y, 5, 0.28),
    "flower of eight petals": lambda x, y: _petals(x, y, 8, 0.2),
    "gear": lambda x, y: np.minimum(
        0.78 + 0.14 * np.tanh(5 * np.cos(10 * np.arctan2(y, x))) - np.hypot(x, y), np.hypot(x, y) - 0.25
    ),
    "heart": lambda x, y: 0.75 - np.hypot(x, y * 1.1 + 0.25 - 0.75 * np.sqrt(np.abs(x))),
    "crescent": lambda x, y: np.minimum(0.9 - np.hypot(x, y), np.hypot(x - 0.45, y) - 0.7),
    "half disc": lambda x, y: np.minimum(0.9 - np.hypot(x, y + 0.3), y + 0.3),
    "slice": lambda x, y: np.minimum(0.95 - np.hypot(x + 0.4, y), (x + 0.4) * 0.5 - np.abs(y)),
    "cross": lambda x, y: np.maximum(_box(x, y, 0.9, 0.25), _box(x, y, 0.25, 0.9)),
    "arrow": lambda x, y: np.maximum(_box(x + 0.35, y, 0.6, 0.18), np.minimum((0.9 - x) * 0.6 - np.abs(y), x - 0.1)),
    "drop": lambda x, y: np.minimum(
        0.62 - np.hypot(x, y - 0.3) + np.clip(-y, 0, None) * 0.75, 0.62 - np.abs(x) * 1.1 + np.clip(y, -2, 0) * 0.55
    ),
    "bottle": lambda x, y: np.minimum(0.95 - np.abs(y), 0.3 + 0.14 * np.tanh(8 * (y + 0.3)) - np.abs(x)),
    "hourglass": lambda x, y: np.minimum(0.9 - np.abs(y), 0.12 + 0.6 * y**2 - np.abs(x)),
    "dumbbell": lambda x, y: np.maximum(_box(x, y, 0.7, 0.1), 0.36 - np.hypot(np.abs(x) - 0.65, y)),
    "hook": lambda x, y: np.maximum(
        np.minimum(0.15 - np.abs(np.hypot(x, y - 0.3) - 0.5), y - 0.3), _box(x - 0.5, y + 0.2, 0.15, 0.6)
    ),
    "pair of beads": lambda x, y: 0.42 - np.hypot(np.abs(x) - 0.5, y),
    "three beads": lambda x, y: np.maximum(0.36 - np.hypot(np.abs(x) - 0.48, y - 0.3), 0.36 - np.hypot(x, y + 0.5)),
    "ladder": lambda x, y: (
        np.maximum(0.1 - np.abs(np.abs(x) - 0.4), np.minimum(0.09 - np.abs((y + 5) % 0.5 - 0.25), 0.45 - np.abs(x)))
        - 10 * np.clip(np.abs(y) - 0.9, 0, None)
    ),
}
"""Name -> a field above 0 inside the shape and below outside, about in units of distance, for x, y of -1..1."""
