"""The classes that the starter network learns first: each a name and a function that draws one picture of it."""

from __future__ import annotations

import zlib
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from starter_bodies import ROUNDED, body, lathed
from starter_fractals import fractal, system
from starter_pictures import (
    SHAPES,
    SIDE,
    TEXTURES,
    Field,
    Subject,
    background,
    colour,
    grid,
    noise,
    painted,
    texture,
    two_colours,
    unlike,
)


def _light(rng: np.random.Generator) -> np.ndarray:
    way = np.array([*rng.normal(0, 1, 2), rng.uniform(0.4, 1.8)])
    return way / np.linalg.norm(way)


def _placed(rng: np.random.Generator, turn: float = np.pi) -> tuple[Field, Field, float]:
    """Return coordinates of -1..1 over a subject somewhere in the picture, and its half size in pixels."""
    half = rng.uniform(0.5, 1.0)
    x, y = grid(rng, 1 / half, turn=turn, tilt=0.25)
    off = rng.uniform(-1, 1, 2) * max(0.12, 1 - half) * 0.8 / half
    warp = rng.uniform(0, 0.2)
    bend = warp * (noise(rng, 3) - 0.5), warp * (noise(rng, 3) - 0.5)
    return x + off[0] + bend[0], y + off[1] + bend[1], half * SIDE / 2


def _skin(rng: np.random.Generator, x: Field, y: Field, under: np.ndarray) -> np.ndarray:
    """Return the colours of a subject: mostly plain and unlike what lies under it, sometimes patterned."""
    if rng.random() < 0.75:
        main = unlike(rng, under.mean((0, 1)))
        return painted(main, main * 0.8, noise(rng, 6, 2))
    name = list(TEXTURES)[rng.integers(len(TEXTURES))]
    scale = rng.uniform(2, 6)
    return painted(*two_colours(rng), TEXTURES[name](rng, x * scale, y * scale))


def _shadow(rng: np.random.Generator, under: np.ndarray, mask: Field, half: float) -> np.ndarray:
    away = rng.normal(0, 0.15 * half, 2)
    dark = Image.fromarray((mask * 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(float(rng.uniform(0.5, 0.15 * half + 1)))
    )
    moved = np.roll(np.asarray(dark) / 255, (round(away[0]), round(away[1])), (0, 1))
    return under * (1 - rng.uniform(0, 0.7) * moved)[..., None]


def shape(rng: np.random.Generator, name: str, *, solid: bool) -> np.ndarray:
    """Return a picture of one shape on a background: flat and maybe outlined, or swollen and lit from a side."""
    x, y, half = _placed(rng)
    inside = SHAPES[name](x, y)
    mask = np.clip(inside * half + 0.5, 0, 1)
    under = background(rng)
    if rng.random() < 0.5 or solid:
        under = _shadow(rng, under, mask, half)
    skin = _skin(rng, x, y, under)
    if solid:
        swell = np.sqrt(np.clip(inside, 0, None)) * half * rng.uniform(0.5, 1.0)
        down, right = np.gradient(swell)
        normal = np.stack([-right, -down, np.ones_like(swell)], -1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        light, ambient = _light(rng), rng.uniform(0.15, 0.5)
        facing = np.clip(normal @ light, 0, 1)
        skin = (
            skin * (ambient + (1.1 - ambient) * facing)[..., None]
            + (rng.uniform(0, 0.6) * facing ** rng.uniform(8, 40))[..., None]
        )
    elif rng.random() < 0.3:
        edge = rng.uniform(0.05, 0.16)
        if rng.random() < 0.5:
            mask = mask * np.clip((edge * 1.4 - inside) * half + 0.5, 0, 1)
        else:
            skin = skin + (colour(rng) - skin) * np.clip((edge - inside) * half, 0, 1)[..., None]
    return under + (skin - under) * mask[..., None]


def _strokes(seed: int) -> list[np.ndarray]:
    """Return the lines of one made-up pen sign: two or three curves through random points of -1..1."""
    rng = np.random.default_rng([78, seed])
    curves = []
    for _curve in range(int(rng.integers(1, 4))):
        knots = rng.uniform(-0.85, 0.85, (int(rng.integers(2, 6)), 2))
        curves.append(knots if rng.random() < 0.75 else np.concatenate([knots, knots[:1]]))
    return curves


def smooth_line(knots: np.ndarray) -> np.ndarray:
    """Return a Catmull-Rom curve through the knots."""
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    parts, at = [], np.linspace(0, 1, 10)[:, None]
    for a, b, c, d in zip(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True):
        parts.append(
            0.5 * (2 * b + (c - a) * at + (2 * a - 5 * b + 4 * c - d) * at**2 + (3 * b - a - 3 * c + d) * at**3)
        )
    return np.concatenate(parts)


def pen_sign(rng: np.random.Generator, curves: list[np.ndarray]) -> np.ndarray:
    """Return a picture of one pen sign in a shaky hand: ink on paper, or faint and coarse as from an old scanner."""
    coarse = rng.random() < 0.45
    side = int(rng.integers(8, 20)) * 4 if coarse else SIDE
    sheet = Image.new("L", (side * 2, side * 2))
    pen = ImageDraw.Draw(sheet)
    lean, angle, size = rng.normal(0, 0.18), rng.normal(0, 0.16), rng.uniform(0.45, 0.98) * rng.uniform(0.85, 1.1, 2)
    off, width = rng.normal(0, 0.08, 2), max(2, round(side * rng.uniform(0.06, 0.26)))
    for knots in curves:
        line = smooth_line(knots + rng.normal(0, 0.07, knots.shape)) * size
        line = np.stack(
            [
                np.cos(angle) * line[:, 0] + (lean - np.sin(angle)) * line[:, 1],
                np.sin(angle) * line[:, 0] + np.cos(angle) * line[:, 1],
            ],
            -1,
        )
        at = [(float(p[0]), float(p[1])) for p in (line * 0.9 + off + 1) * side]
        pen.line(at, fill=255, width=width, joint="curve")
        for point in (at[0], at[-1]):
            pen.ellipse(
                [point[0] - width / 2, point[1] - width / 2, point[0] + width / 2, point[1] + width / 2], fill=255
            )
    small = sheet.resize((side // 4 if coarse else SIDE,) * 2, Image.Resampling.BOX)
    how = (Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.NEAREST)[rng.integers(3)]
    mask = np.asarray(small.resize((SIDE, SIDE), how)) / 255
    if rng.random() < 0.5:
        grey = rng.permutation([rng.uniform(0, 0.45), rng.uniform(0.5, 1)])
        return painted(np.full(3, grey[0]), np.full(3, grey[1]), mask)
    under = background(rng)
    return under + (unlike(rng, under.mean((0, 1))) - under) * mask[..., None]


PARTS = (
    "disc",
    "long oval",
    "triangle",
    "square",
    "bar",
    "heart",
    "drop",
    "half disc",
    "ring",
    "five-pointed star",
    "hexagon",
    "crescent",
)


def _creature_plan(seed: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return the parts of one made-up creature: shape, (x, y, wide, high, turn) and colour, left and right alike."""
    rng = np.random.default_rng([79, seed])
    coat, second = colour(rng), colour(rng)
    plan = [
        (PARTS[rng.integers(len(PARTS))], np.array([0, 0.35, rng.uniform(0.3, 0.55), rng.uniform(0.35, 0.6), 0]), coat)
    ]
    for _limb in range(int(rng.integers(1, 4))):
        x, y, wide, high, turn = (
            rng.uniform(0.25, 0.75),
            rng.uniform(-0.8, 0.85),
            rng.uniform(0.1, 0.26),
            rng.uniform(0.12, 0.4),
            rng.uniform(-1.5, 1.5),
        )
        kind, paint = PARTS[rng.integers(len(PARTS))], coat if rng.random() < 0.5 else second
        plan += [(kind, np.array([side * x, y, wide, high, side * turn]), paint) for side in (-1, 1)]
    plan.append(
        (
            PARTS[rng.integers(3)],
            np.array([0, -0.35, rng.uniform(0.3, 0.5), rng.uniform(0.28, 0.45), 0]),
            coat if rng.random() < 0.5 else colour(rng),
        )
    )
    gap, eye = rng.uniform(0.1, 0.22), rng.uniform(0.05, 0.12)
    for side in (-1, 1):
        plan += [
            ("disc", np.array([side * gap, -0.42, eye, eye * rng.uniform(0.8, 1.6), 0]), np.ones(3)),
            ("disc", np.array([side * gap, -0.41, eye * 0.45, eye * 0.45, 0]), np.zeros(3)),
        ]
    plan.append(
        (
            PARTS[rng.integers(len(PARTS))],
            np.array(
                [0, rng.uniform(-0.3, -0.15), rng.uniform(0.05, 0.15), rng.uniform(0.03, 0.1), rng.uniform(-1, 1)]
            ),
            second,
        )
    )
    if rng.random() < 0.7:
        plan.append(
            (
                PARTS[rng.integers(len(PARTS))],
                np.array([0, -0.78, rng.uniform(0.15, 0.35), rng.uniform(0.1, 0.25), 0]),
                second,
            )
        )
    return plan


def creature(rng: np.random.Generator, plan: list[tuple[str, np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return a picture of one creature: parts shaken, colours faded or tinted, now and then half behind something."""
    x, y, half = _placed(rng, turn=0.35)
    half = max(half, 24.0)
    picture, tint = background(rng), rng.normal(0, 0.12, 3)
    line = rng.uniform(0, 0.12) if rng.random() < 0.5 else 0.0
    if rng.random() < 0.5:
        x = -x
    for kind, place, paint in plan:
        px, py, wide, high, turn = place + rng.normal(0, 0.025, 5) * (1, 1, 0.5, 0.5, 4)
        u, v = np.cos(turn) * (x - px) + np.sin(turn) * (y - py), np.cos(turn) * (y - py) - np.sin(turn) * (x - px)
        inside = SHAPES[kind](u / max(wide, 0.02), v / max(high, 0.02)) * max(min(wide, high), 0.02)
        mask = np.clip(inside * half + 0.5, 0, 1)[..., None]
        shade = (
            np.clip(paint * rng.uniform(0.8, 1.1) + tint, 0, 1)
            * (0.85 + 0.3 * np.clip(inside / 0.3, 0, 0.5))[..., None]
        )
        if line and wide > 0.12:
            shade = shade * np.clip((inside - line * 0.3) * half + 0.5, 0, 1)[..., None]
        picture = picture + (shade - picture) * mask
    return picture


def photographed(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Return the uint8 picture in some light: uneven, tinted, faint, grey, inverted, blurred, grainy, half covered."""
    if rng.random() < 0.06:
        cover, at = background(rng), rng.integers(0, SIDE, 4)
        slab = np.s_[min(at[0], at[1]) : min(at[0], at[1]) + 30, min(at[2], at[3]) : min(at[2], at[3]) + 30]
        picture = picture.copy()
        picture[slab] = cover[slab]
    picture = picture * (1 + rng.uniform(0, 0.6) * (noise(rng, 1.5) - 0.5))[..., None] * rng.normal(1, 0.06, 3)
    picture = np.clip(picture, 0, 1) ** np.exp(rng.normal(0, 0.25))
    fate = rng.random()
    if fate < 0.12:
        picture = np.repeat(picture.mean(-1, keepdims=True), 3, -1)
    elif fate < 0.2:
        picture = 1 - picture
    keep = 1 - rng.beta(1, 6) * 0.7
    picture = picture * keep + rng.uniform(0, 1) * (1 - keep) + rng.normal(0, rng.uniform(0, 0.03), picture.shape)
    ready = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    if rng.random() < 0.15:
        ready = ready.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.5))))
    return np.asarray(ready)


THIN = ("thin ring", "bar", "cross", "arrow", "ladder", "hook", "crescent", "slice", "pentagon", "three beads")
"""Shapes that do not look solid when they are swollen, or look like others."""

SUBJECTS: tuple[Subject, ...] = (
    *(Subject(name, partial(texture, name=name)) for name in TEXTURES),
    *(Subject(f"flat {name}", partial(shape, name=name, solid=False)) for name in list(SHAPES)[::2]),
    *(Subject(f"solid {name}", partial(shape, name=name, solid=True)) for name in SHAPES if name not in THIN),
    *(Subject(f"fractal {number:02d}", partial(fractal, maps=system(number))) for number in range(1, 9)),
    *(Subject(f"pen sign {number:02d}", partial(pen_sign, curves=_strokes(number))) for number in range(1, 49)),
    *(Subject(f"creature {number:02d}", partial(creature, plan=_creature_plan(number))) for number in range(1, 49)),
    *(Subject(f"turned body {number:02d}", partial(lathed, what=body(number))) for number in range(1, 49)),
    *(Subject(f"rounded body {number:02d}", partial(lathed, what=what)) for number, what in enumerate(ROUNDED, 1)),
)
"""Every class, in the order of the network's outputs."""


def picture(subject: Subject, seed: int, number: int) -> np.ndarray:
    """Return picture `number` of a subject as uint8, shape (SIDE, SIDE, 3); the same numbers give the same picture."""
    rng = np.random.default_rng([seed, zlib.crc32(subject.name.encode()), number])
    return photographed(rng, subject.draw(rng))
