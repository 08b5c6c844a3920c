"""A picture while it is being drawn: pixels, one light, and the bodies, slabs and shadows laid on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from sample_pictures.noise import blurred, mixed, shifted

Window = tuple[slice, slice]
"""The rows and columns of a picture that something touches."""


@dataclass(frozen=True)
class Skin:
    """The visible points of a body: `turn` around the axis in radians, `along` it -1..1, and the window they fill."""

    turn: np.ndarray
    along: np.ndarray
    window: Window


Paint = Callable[[Skin], np.ndarray]
"""Colour of a body's points: float RGB 0..1, shape (height, width, 3) of the window."""

AXIS = np.linspace(-1.0, 1.0, 129)
"""The places along a body's axis at which profiles are sampled."""


@dataclass(frozen=True)
class Light:
    """Where light comes from (unit vector; x right, y down, z towards the viewer), how soft it is, and its colour."""

    direction: np.ndarray
    ambient: float
    colour: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Light:
        """Return a light from a random side, between noon sun and a grey day, between candle and north window."""
        turn, height = rng.uniform(-np.pi, 0.0), rng.uniform(0.35, 0.9)
        flat = np.sqrt(1 - height**2)
        warmth = rng.normal(0.0, 0.07)
        return cls(
            np.array([np.cos(turn) * flat, np.sin(turn) * flat, height]),
            rng.uniform(0.35, 0.65),
            np.clip(np.array([1 + warmth, 1.0, 1 - warmth]), 0.75, 1.25),
        )


@dataclass(frozen=True)
class Pose:
    """Where something lies: centre and half length in pixels, and its axis' angle against the vertical in radians."""

    x: float
    y: float
    size: float
    angle: float = 0.0


@dataclass
class Canvas:
    """The picture so far, float32 RGB of 0..1, shape (height, width, 3), and the light that falls on it."""

    pixels: np.ndarray
    light: Light

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def add_body(
        self, pose: Pose, profile: np.ndarray, paint: Paint, gloss: float = 0.2, bumps: np.ndarray | None = None
    ) -> None:
        """Lay a solid of revolution with its shadow; `profile` is its half width at AXIS, in half lengths.

        `bumps`, a field of noise as large as the picture, roughens the skin. `paint` is asked about a window of it.
        """
        reach = pose.size * max(1.0, float(profile.max())) * 1.05 + 3
        window = self._window(pose.x - reach, pose.y - reach, pose.x + reach, pose.y + reach)
        across, along = self._local(pose, window)
        half = np.interp(along, AXIS, profile, left=0.0, right=0.0)
        gradient = np.interp(along, AXIS, np.gradient(profile, AXIS))
        depth = np.sqrt(np.maximum(half**2 - across**2, 0.0))
        inside = (half - np.abs(across)) * pose.size / np.sqrt(1 + gradient**2)
        alpha = np.clip(inside + 0.5, 0, 1) * (np.abs(along) <= 1)
        self._cast(alpha, window, pose.size * float(profile.max()))
        lean = np.stack([across, -half * gradient, depth + 1e-3], -1)
        lean /= np.linalg.norm(lean, axis=-1, keepdims=True)
        cos, sin = np.cos(pose.angle), np.sin(pose.angle)
        normal = np.stack(
            [cos * lean[..., 0] - sin * lean[..., 1], sin * lean[..., 0] + cos * lean[..., 1], lean[..., 2]], -1
        )
        if bumps is not None:
            down, right = np.gradient(bumps)
            normal[..., 0] -= right[window]
            normal[..., 1] -= down[window]
            normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        skin = paint(Skin(np.arctan2(across, depth + 1e-3), along, window))
        self.pixels[window] = mixed(self.pixels[window], self._lit(skin, normal, gloss), alpha)

    def add_slab(self, mask: np.ndarray, colour: np.ndarray, height: float, edge: float = 1.5) -> None:
        """Lay something flat: `mask` is 0..1 in the picture's shape, `colour` RGB or a field of RGB.

        `height`, in pixels, is for its shadow. Edges are rounded over `edge` pixels, so that they catch the light.
        """
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not len(rows):
            return
        window = self._window(columns[0] - 4, rows[0] - 4, columns[-1] + 4, rows[-1] + 4)
        mask = mask[window]
        if height:
            self._cast(mask, window, height)
        down, right = np.gradient(blurred(mask, edge))
        normal = np.stack([-right * edge, -down * edge, np.full(mask.shape, 0.7)], -1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        skin = np.broadcast_to(colour, self.pixels.shape)[window]
        self.pixels[window] = mixed(self.pixels[window], self._lit(skin, normal, 0.15), mask)

    def polygon(self, points: np.ndarray) -> np.ndarray:
        """Return the mask of a polygon with smooth edges; `points` are (n, 2) as x, y in pixels."""
        mask = np.zeros(self.shape, np.float32)
        rows, columns = window = self._window(*(points.min(0) - 2), *(points.max(0) + 2))
        height, width = mask[window].shape
        if height and width:
            big = Image.new("L", (width * 3, height * 3))
            corners = (points - (columns.start, rows.start)) * 3
            ImageDraw.Draw(big).polygon([(float(x), float(y)) for x, y in corners], fill=255)
            mask[window] = np.asarray(big.resize((width, height), Image.Resampling.BOX), np.float32) / 255
        return mask

    def _window(self, left: float, top: float, right: float, bottom: float) -> Window:
        height, width = self.shape
        rows = slice(int(np.clip(top, 0, height)), int(np.clip(bottom + 1, 0, height)))
        return rows, slice(int(np.clip(left, 0, width)), int(np.clip(right + 1, 0, width)))

    def _local(self, pose: Pose, window: Window) -> tuple[np.ndarray, np.ndarray]:
        right = np.arange(window[1].start, window[1].stop)[None, :] - pose.x
        down = np.arange(window[0].start, window[0].stop)[:, None] - pose.y
        cos, sin = np.cos(pose.angle), np.sin(pose.angle)
        return (cos * right + sin * down) / pose.size, (cos * down - sin * right) / pose.size

    def _cast(self, mask: np.ndarray, window: Window, height: float) -> None:
        away = -self.light.direction[:2] / self.light.direction[2] * min(height, 40.0) * 0.45
        right, down = round(away[0]), round(away[1])
        wide = self._window(
            window[1].start - max(0, -right) - height * 0.4 - 4,
            window[0].start - max(0, -down) - height * 0.4 - 4,
            window[1].stop + max(0, right) + height * 0.4 + 4,
            window[0].stop + max(0, down) + height * 0.4 + 4,
        )
        under = np.zeros(self.pixels[wide].shape[:2], np.float32)
        top, left = window[0].start - wide[0].start, window[1].start - wide[1].start
        under[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        moved = shifted(under, right, down)
        hard = 1 - self.light.ambient
        shadow = np.maximum(blurred(moved, 1.0 + height * 0.12) * hard, blurred(under, 1.0 + height * 0.08) * 0.45)
        self.pixels[wide] *= (1 - 0.75 * shadow)[..., None]

    def _lit(self, skin: np.ndarray, normal: np.ndarray, gloss: float) -> np.ndarray:
        light = self.light
        facing = np.clip(normal @ light.direction, 0, 1)
        bounce = 0.12 * np.clip(normal[..., 1], 0, 1)
        halfway = light.direction + np.array([0.0, 0.0, 1.0])
        halfway /= np.linalg.norm(halfway)
        shine = gloss * np.clip(normal @ halfway, 0, 1) ** (8 + 50 * gloss)
        shade = light.ambient + (1.05 - light.ambient) * facing + bounce
        return skin * shade[..., None] * light.colour + shine[..., None]
