"""A cartoonist's pen: outlined shapes in a frame that can be moved, turned, scaled and mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

Colour = Sequence[float] | np.ndarray
Point = tuple[float, float]

FINE = 3
"""Pixels drawn per pixel shown, along each side."""


@dataclass(frozen=True)
class Pen:
    """Draws on a picture FINE times too large; `x`, `y` (pixels shown), `scale`, `turn` and `flip` place the frame."""

    picture: Image.Image
    x: float
    y: float
    scale: float
    turn: float = 0.0
    flip: float = 1.0
    line: float = 0.03
    ink: tuple[int, int, int] = (30, 22, 28)

    def at(self, x: float, y: float, *, turn: float = 0.0, scale: float = 1.0) -> Pen:
        """Return a pen whose frame has its origin at (x, y) of this one, turned and scaled."""
        (to_x, to_y) = self._placed([(x, y)])[0]
        return replace(self, x=to_x / FINE, y=to_y / FINE, turn=self.turn + turn * self.flip, scale=self.scale * scale)

    def shape(self, points: Sequence[Point], fill: Colour, *, outline: bool = True) -> None:
        """Fill a polygon."""
        pen, placed = ImageDraw.Draw(self.picture), self._placed(points)
        pen.polygon(placed, fill=paint(fill))
        if outline:
            pen.line([*placed, placed[0], placed[1]], fill=self.ink, width=self._width(self.line), joint="curve")

    def blob(
        self, x: float, y: float, wide: float, high: float, fill: Colour, *, turn: float = 0.0, outline: bool = True
    ) -> None:
        """Fill an ellipse of half width `wide` and half height `high`."""
        way = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        across, along = wide * np.cos(way), high * np.sin(way)
        cos, sin = np.cos(turn), np.sin(turn)
        self.shape(
            [(x + cos * a - sin * b, y + sin * a + cos * b) for a, b in zip(across, along, strict=True)],
            fill,
            outline=outline,
        )

    def tube(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """Draw a thick outlined line with round ends: an arm, a leg, a tail."""
        pen, placed = ImageDraw.Draw(self.picture), self._placed(points)
        for thick, colour in ((width + 2 * self.line, self.ink), (width, paint(fill))):
            pen.line(placed, fill=colour, width=self._width(thick), joint="curve")
            for x, y in (placed[0], placed[-1]):
                half = self._width(thick) / 2
                pen.ellipse([x - half, y - half, x + half, y + half], fill=colour)

    def stroke(self, points: Sequence[Point], *, width: float = 1.0, colour: Colour | None = None) -> None:
        """Draw a line of ink, `width` in outlines."""
        ink = self.ink if colour is None else paint(colour)
        ImageDraw.Draw(self.picture).line(
            self._placed(points), fill=ink, width=self._width(self.line * width), joint="curve"
        )

    def arc(
        self, x: float, y: float, wide: float, high: float, span: tuple[float, float], *, width: float = 1.0
    ) -> None:
        """Draw a part of an ellipse's outline, angles in radians, 0 to the right and growing downwards."""
        way = np.linspace(*span, 16)
        self.stroke([(x + wide * np.cos(a), y + high * np.sin(a)) for a in way], width=width)

    def _width(self, width: float) -> int:
        return max(1, round(width * self.scale * FINE))

    def _placed(self, points: Sequence[Point]) -> list[tuple[float, float]]:
        across, along = np.array(points, float).T * self.scale
        across = across * self.flip
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        placed = np.stack([self.x + cos * across - sin * along, self.y + sin * across + cos * along], -1) * FINE
        return [(float(x), float(y)) for x, y in placed]


def paint(colour: Colour) -> tuple[int, int, int]:
    """Return a colour of 0..1 as bytes."""
    red, green, blue = (int(255 * min(1.0, max(0.0, part)) + 0.5) for part in colour)
    return red, green, blue
