"""The paper that rooms and houses are drawn on: shapes in fractions of the picture, and things that wear and polish."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from sample_pictures.camera import to_jpeg
from sample_pictures.pen import FINE, Colour, paint

Point = tuple[float, float]
SIZES = ((256, 192), (240, 192), (288, 192))
INK = (0.16, 0.13, 0.14)


class Scene:
    """A picture under way. `quality`, 0 to 1, is how well kept and how well furnished the place looks in it."""

    def __init__(self, rng: np.random.Generator, quality: float) -> None:
        self.rng = rng
        self.quality = float(np.clip(quality + rng.normal(0, 0.06), 0, 1))
        self.width, self.height = SIZES[rng.integers(len(SIZES))]
        self.picture = Image.new("RGB", (self.width * FINE, self.height * FINE))
        self._pen = ImageDraw.Draw(self.picture)

    def chance(self, poor: float, good: float) -> bool:
        """Return true as often as lies between the chances of a poor and of a good place."""
        return bool(self.rng.random() < poor + (good - poor) * self.quality)

    def between(self, poor: float, good: float, spread: float = 0.1) -> float:
        """Return a number between those of a poor and of a good place, with some chance in it."""
        return float(poor + (good - poor) * (self.quality + self.rng.normal(0, spread)))

    def tone(self, saturation: float = 0.3, value: float = 0.9) -> Colour:
        """Return a random colour; poor places are duller."""
        value *= 0.8 + 0.2 * self.quality
        return colorsys.hsv_to_rgb(self.rng.random(), saturation * self.rng.uniform(0.5, 1.2), min(1.0, value))

    def wood(self) -> Colour:
        """Return a colour of wood."""
        shade = self.rng.uniform(0.45, 1.15)
        return (0.72 * shade, 0.5 * shade, 0.31 * shade)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, *, edge: float = 1.0) -> None:
        """Draw an upright rectangle with an outline of `edge` lines; 0 is none."""
        ink = paint(np.asarray(fill) * 0.45) if edge else None
        corners = [*self._placed([(left, top)])[0], *self._placed([(right, bottom)])[0]]
        self._pen.rectangle(corners, fill=paint(fill), outline=ink, width=max(1, round(edge * FINE)))

    def disc(self, x: float, y: float, wide: float, high: float, fill: Colour, *, edge: float = 1.0) -> None:
        """Draw an ellipse; `wide` and `high` are half its size."""
        ink = paint(np.asarray(fill) * 0.45) if edge else None
        corners = [*self._placed([(x - wide, y - high)])[0], *self._placed([(x + wide, y + high)])[0]]
        self._pen.ellipse(corners, fill=paint(fill), outline=ink, width=max(1, round(edge * FINE)))

    def shape(self, points: Sequence[Point], fill: Colour) -> None:
        """Fill a polygon."""
        self._pen.polygon(self._placed(points), fill=paint(fill))

    def line(self, points: Sequence[Point], colour: Colour = INK, width: float = 1.0) -> None:
        """Draw a line through points."""
        self._pen.line(self._placed(points), fill=paint(colour), width=max(1, round(width * FINE)), joint="curve")

    def wear(self, left: float, top: float, right: float, bottom: float) -> None:
        """Draw cracks and damp patches into a surface, as many as its quality lets expect."""
        for _patch in range(self.rng.poisson(max(0.0, 2.6 * (0.7 - self.quality)))):
            x, y, size = self.rng.uniform(left, right), self.rng.uniform(top, bottom), self.rng.uniform(0.02, 0.06)
            self._veil((x, y), size, (0.36, 0.32, 0.24))
        for _crack in range(self.rng.poisson(max(0.0, 3.2 * (0.7 - self.quality)))):
            steps = np.cumsum(self.rng.normal((0.0, 0.03), (0.022, 0.015), (7, 2)), axis=0)
            at = np.array([self.rng.uniform(left, right), self.rng.uniform(top, bottom)])
            self.line([(float(x), float(y)) for x, y in np.clip(at + steps, (left, top), (right, bottom))], width=0.8)

    def jpeg(self) -> bytes:
        """Return the finished picture: light from a side, brighter in better places."""
        small = self.picture.resize((self.width, self.height), Image.Resampling.BOX)
        side = np.linspace(1.08, 0.86, self.width)[:: int(self.rng.choice([-1, 1]))]
        light = self.between(0.8, 1.04, 0.2) * side[None, :, None] * self.rng.normal(1, 0.02, 3)
        return to_jpeg(self.rng, np.asarray(small, np.float32) / 255 * light)

    def _veil(self, at: Point, size: float, colour: Colour) -> None:
        """Lay a soft blot on the picture, by way of a small mask around it."""
        half = size * 3 * max(self.width, self.height) * FINE
        x, y = self._placed([at])[0]
        mask = Image.new("L", (int(2 * half), int(2 * half)))
        pen = ImageDraw.Draw(mask)
        for _blot in range(5):
            right, down = half + self.rng.normal(0, half / 5, 2)
            reach = half / 3 * self.rng.uniform(0.4, 1.0)
            pen.ellipse([right - reach, down - reach, right + reach, down + reach], fill=120)
        self.picture.paste(paint(colour), (int(x - half), int(y - half)), mask.filter(ImageFilter.BoxBlur(3 * FINE)))

    def _placed(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.width * FINE, y * self.height * FINE) for x, y in points]
