"""What things lie on: tables, cloth, grass, straw, plates and nests."""

from __future__ import annotations

import colorsys

import numpy as np
from PIL import Image, ImageDraw

from sample_pictures.canvas import Canvas
from sample_pictures.noise import blurred, mixed, smooth, streaks

Shape = tuple[int, int]


def tinted(rng: np.random.Generator, low: tuple[float, ...], high: tuple[float, ...]) -> np.ndarray:
    """Return a random RGB colour between two, mostly along the line from one to the other."""
    along = np.clip(rng.random() + rng.normal(0, 0.06, 3), 0, 1)
    return np.asarray(low) + (np.asarray(high) - np.asarray(low)) * along


def vivid(rng: np.random.Generator) -> np.ndarray:
    """Return a random RGB colour that is far from grey."""
    return np.array(colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.6, 1.0), rng.uniform(0.4, 1.0)))


def _wood(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    height, width = shape
    planks = int(rng.integers(1, 5))
    colour = tinted(rng, (0.25, 0.14, 0.08), (0.85, 0.7, 0.5))
    shade = 0.75 + 0.5 * streaks(rng, shape, 4, 60)
    rows = np.arange(height) * planks // height
    shade = shade * rng.uniform(0.85, 1.1, planks)[rows][:, None]
    shade[np.flatnonzero(np.diff(rows))] *= 0.5
    return shade[..., None] * colour


def _cloth(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    height, width = shape
    one, two = rng.uniform(0.1, 0.95, 3), np.clip(rng.uniform(0.5, 1.0, 3), 0, 1)
    turn, step = rng.uniform(0, np.pi), rng.uniform(10, 40)
    down, right = np.mgrid[0:height, 0:width]
    first = np.sin((np.cos(turn) * right + np.sin(turn) * down) * np.pi / step) > rng.uniform(-0.3, 0.6)
    second = np.sin((np.cos(turn) * down - np.sin(turn) * right) * np.pi / step) > rng.uniform(-0.3, 0.6)
    blend = (first * 0.5 + second * (0.5 if rng.random() < 0.6 else 0.0)) * rng.uniform(0.2, 0.7)
    folds = 0.85 + 0.3 * smooth(rng, shape, 3)
    return mixed(np.broadcast_to(two, (*shape, 3)), one, blend) * folds[..., None]


def _grass(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    height, width = shape
    dry = rng.random() < 0.35
    dark = tinted(rng, (0.3, 0.25, 0.1), (0.5, 0.4, 0.2)) if dry else tinted(rng, (0.05, 0.2, 0.05), (0.2, 0.4, 0.1))
    picture = Image.fromarray(np.broadcast_to((dark * 255).astype(np.uint8), (*shape, 3)).copy())
    pen = ImageDraw.Draw(picture)
    for x, y, lean, length, glow in zip(
        rng.integers(0, width, 420),
        np.sort(rng.integers(0, height + 20, 420)),
        rng.normal(0, 6, 420),
        rng.uniform(8, 26, 420),
        rng.uniform(0.7, 2.2, 420),
        strict=True,
    ):
        blade = tuple(int(min(255, 255 * part * glow)) for part in dark)
        pen.line([(int(x), int(y)), (int(x + lean), int(y - length))], fill=blade, width=2)
    return np.asarray(picture, np.float32) / 255


def _stone(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    veins = np.abs(smooth(rng, shape, rng.uniform(2, 6), 4) - 0.5) * 2
    colour = tinted(rng, (0.25, 0.25, 0.28), (0.92, 0.9, 0.88))
    return (0.7 + 0.35 * veins)[..., None] * colour


def _sand(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    grains = 0.8 + 0.25 * smooth(rng, shape, 90, 2) + 0.15 * smooth(rng, shape, 4, 2)
    return grains[..., None] * tinted(rng, (0.45, 0.33, 0.2), (0.9, 0.8, 0.62))


def _paper(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    one, two = rng.uniform(0.05, 1.0, 3), rng.uniform(0.05, 1.0, 3)
    blend = smooth(rng, shape, 1)
    return mixed(np.broadcast_to(one, (*shape, 3)), one + (two - one) * 0.4, blend)


def _shelf(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    height, _width = shape
    edge = int(height * rng.uniform(0.2, 0.5))
    back, front = _paper(rng, shape), (_wood if rng.random() < 0.5 else _stone)(rng, shape)
    back[edge:] = front[edge:]
    return back


GROUNDS = (_wood, _cloth, _grass, _stone, _sand, _paper, _shelf)
CHANCES = (0.15, 0.12, 0.08, 0.2, 0.15, 0.2, 0.1)


def ground(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Return a random ground to lay things on, float RGB of 0..1, unevenly lit."""
    pixels = GROUNDS[rng.choice(len(GROUNDS), p=CHANCES)](rng, shape)
    return (pixels * (0.8 + 0.35 * smooth(rng, shape, 1.5))[..., None]).astype(np.float32)


def add_plate(rng: np.random.Generator, canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Lay a plate with a raised rim under what comes next."""
    height, width = canvas.shape
    down, right = np.mgrid[0:height, 0:width]
    reach = np.hypot(right - x, (down - y) * rng.uniform(1.0, 1.35)) / radius
    colour = tinted(rng, (0.25, 0.35, 0.5), (0.97, 0.96, 0.93)) if rng.random() < 0.6 else rng.uniform(0.2, 1.0, 3)
    field = np.broadcast_to(colour, canvas.pixels.shape).copy()
    field[(reach > 0.88) & (reach < 0.93)] = rng.uniform(0.1, 1.0, 3)
    canvas.add_slab(np.clip((1 - reach) * radius, 0, 1), field, radius * 0.1, 2.5)
    hollow = np.clip((rng.uniform(0.6, 0.72) - reach) * radius, 0, 1)
    rim = np.clip(hollow - blurred(np.roll(hollow, (3, 3), (0, 1)), 3), 0, 1)
    canvas.pixels = canvas.pixels * (1 - 0.25 * rim)[..., None]


def add_nest(rng: np.random.Generator, canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Lay a nest of twigs, darker towards its middle, under what comes next."""
    height, width = canvas.shape
    down, right = np.mgrid[0:height, 0:width]
    hollow = blurred((np.hypot(right - x, down - y) < radius).astype(np.float32), radius * 0.1)
    canvas.pixels = canvas.pixels * (1 - 0.75 * hollow)[..., None]
    picture = Image.fromarray((np.clip(canvas.pixels, 0, 1) * 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    straw = tinted(rng, (0.35, 0.22, 0.1), (0.85, 0.72, 0.42))
    for turn, reach, glow, bend in zip(
        rng.uniform(0, 2 * np.pi, 260),
        np.clip(rng.normal(0.95, 0.22, 260), 0.2, 1.35),
        rng.uniform(0.45, 1.25, 260),
        rng.normal(np.pi / 2, 0.45, 260),
        strict=True,
    ):
        from_x, from_y = x + np.cos(turn) * reach * radius, y + np.sin(turn) * reach * radius
        length = radius * rng.uniform(0.3, 0.8)
        to = (from_x + np.cos(turn + bend) * length, from_y + np.sin(turn + bend) * length)
        twig = tuple(int(255 * min(1.0, part * glow)) for part in straw)
        pen.line([(from_x, from_y), to], fill=twig, width=int(rng.integers(1, 4)))
    canvas.pixels = np.asarray(picture, np.float32) / 255
