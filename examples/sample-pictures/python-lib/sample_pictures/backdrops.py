"""Where cartoon characters stand, and what may stand before them."""

from __future__ import annotations

import colorsys

import numpy as np
from PIL import Image, ImageDraw

from sample_pictures.pen import paint

INK = (30, 22, 28)


def _pastel(rng: np.random.Generator, low: float = 0.5, high: float = 1.0) -> tuple[int, int, int]:
    return paint(colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.1, 0.6), rng.uniform(low, high)))


def _room(rng: np.random.Generator, pen: ImageDraw.ImageDraw, height: int, width: int) -> None:
    floor = int(height * rng.uniform(0.6, 0.85))
    pen.rectangle([0, 0, width, floor], fill=_pastel(rng))
    if rng.random() < 0.5:
        step = int(rng.integers(width // 14, width // 5))
        stripe = _pastel(rng)
        for left in range(0, width, step):
            pen.rectangle([left, 0, left + step // 2, floor], fill=stripe)
    pen.rectangle([0, floor, width, height], fill=_pastel(rng, 0.3, 0.8))
    pen.line([0, floor, width, floor], fill=INK, width=5)
    for _frame in range(int(rng.integers(0, 3))):
        x, y, side = rng.uniform(0, width * 0.8), rng.uniform(0, height * 0.35), rng.uniform(0.15, 0.35) * height
        pen.rectangle([x, y, x + side, y + side], fill=_pastel(rng), outline=INK, width=6)
        pen.ellipse([x + side * 0.25, y + side * 0.25, x + side * 0.7, y + side * 0.7], fill=_pastel(rng))


def _park(rng: np.random.Generator, pen: ImageDraw.ImageDraw, height: int, width: int) -> None:
    pen.rectangle(
        [0, 0, width, height], fill=paint((rng.uniform(0.45, 0.75), rng.uniform(0.7, 0.88), rng.uniform(0.85, 1.0)))
    )
    x, y, size = rng.uniform(0, width), rng.uniform(0, height * 0.3), height * 0.09
    pen.ellipse([x - size, y - size, x + size, y + size], fill=(255, 226, 120))
    for _hill in range(3):
        x, reach, top = rng.uniform(0, width), rng.uniform(0.4, 0.9) * width, rng.uniform(0.45, 0.7) * height
        pen.ellipse(
            [x - reach, top, x + reach, top + 2 * height],
            fill=paint((rng.uniform(0.25, 0.55), rng.uniform(0.55, 0.8), 0.3)),
            outline=INK,
            width=3,
        )
    for _tree in range(int(rng.integers(0, 4))):
        x, top, size = rng.uniform(0, width), rng.uniform(0.2, 0.5) * height, rng.uniform(0.08, 0.18) * height
        pen.rectangle([x - size * 0.2, top, x + size * 0.2, top + size * 3], fill=(110, 75, 45), outline=INK, width=3)
        leaves = paint((rng.uniform(0.15, 0.7), rng.uniform(0.4, 0.65), 0.2))
        pen.ellipse([x - size, top - size, x + size, top + size], fill=leaves, outline=INK, width=4)


def _beach(rng: np.random.Generator, pen: ImageDraw.ImageDraw, height: int, width: int) -> None:
    sea, sand = int(height * rng.uniform(0.25, 0.45)), int(height * rng.uniform(0.5, 0.75))
    pen.rectangle(
        [0, 0, width, sea], fill=paint((rng.uniform(0.6, 1.0), rng.uniform(0.7, 0.9), rng.uniform(0.75, 1.0)))
    )
    pen.rectangle([0, sea, width, sand], fill=paint((0.2, rng.uniform(0.45, 0.7), rng.uniform(0.6, 0.85))))
    pen.rectangle(
        [0, sand, width, height], fill=paint((rng.uniform(0.85, 0.98), rng.uniform(0.75, 0.88), rng.uniform(0.5, 0.7)))
    )
    for _wave in range(12):
        x, y = rng.uniform(0, width), rng.uniform(sea, sand)
        pen.line([x, y, x + width * 0.08, y], fill=(235, 245, 250), width=5)


def _city(rng: np.random.Generator, pen: ImageDraw.ImageDraw, height: int, width: int) -> None:
    night = rng.random() < 0.6
    pen.rectangle([0, 0, width, height], fill=(28, 30, 66) if night else _pastel(rng, 0.8))
    left = 0.0
    while left < width:
        wide, top = rng.uniform(0.1, 0.25) * width, rng.uniform(0.1, 0.6) * height
        pen.rectangle(
            [left, top, left + wide, height],
            fill=_pastel(rng, 0.2, 0.5) if night else _pastel(rng, 0.5, 0.85),
            outline=INK,
            width=4,
        )
        for row in np.arange(top + 12, height, height * 0.09):
            for column in np.arange(left + 10, left + wide - 14, width * 0.045):
                if rng.random() < 0.5:
                    pen.rectangle(
                        [column, row, column + width * 0.02, row + height * 0.04],
                        fill=(250, 220, 120) if night else (70, 90, 120),
                    )
        left += wide
    pen.rectangle([0, height * 0.85, width, height], fill=_pastel(rng, 0.25, 0.5))


def _poster(rng: np.random.Generator, pen: ImageDraw.ImageDraw, height: int, width: int) -> None:
    pen.rectangle([0, 0, width, height], fill=_pastel(rng, 0.35))
    for _spot in range(int(rng.integers(0, 30))):
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.02, 0.12) * height
        pen.ellipse([x - size, y - size, x + size, y + size], fill=_pastel(rng))


BACKDROPS = (_room, _park, _beach, _city, _poster)


def backdrop(rng: np.random.Generator, shape: tuple[int, int]) -> Image.Image:
    """Return a picture of height and width `shape` with a random place in it."""
    height, width = shape
    picture = Image.new("RGB", (width, height))
    BACKDROPS[rng.integers(len(BACKDROPS))](rng, ImageDraw.Draw(picture), height, width)
    return picture


def add_cover(rng: np.random.Generator, picture: Image.Image, centre: tuple[float, float], tall: float) -> None:
    """Put something before the character, hiding legs or a side, never the whole head."""
    pen, (x, y), colour = ImageDraw.Draw(picture), centre, _pastel(rng, 0.3)
    kind = rng.integers(3)
    if kind == 0:
        top = y + tall * rng.uniform(0.0, 0.45)
        pen.rectangle([0, top, picture.width, top + tall * 0.12], fill=colour, outline=INK, width=5)
        pen.rectangle(
            [x - tall, top + tall * 0.12, x + tall, picture.height],
            fill=paint(np.array(colour) / 300),
            outline=INK,
            width=5,
        )
    elif kind == 1:
        for _leaf in range(9):
            at, down, size = (
                x + rng.normal(0, 0.5) * tall,
                y + rng.uniform(0.3, 0.9) * tall,
                rng.uniform(0.15, 0.3) * tall,
            )
            pen.ellipse(
                [at - size, down - size, at + size, down + size],
                fill=paint((rng.uniform(0.1, 0.4), rng.uniform(0.4, 0.7), 0.2)),
                outline=INK,
                width=4,
            )
    else:
        at, size = x + float(rng.choice([-1, 1])) * tall * rng.uniform(0.35, 0.6), tall * rng.uniform(0.2, 0.32)
        down = y + tall * rng.uniform(-0.5, 0.4)
        pen.line([at, down + size, at, picture.height], fill=INK, width=4)
        pen.ellipse([at - size, down - size * 1.15, at + size, down + size * 1.15], fill=colour, outline=INK, width=5)
