"""Varied copies of a picture: how pictures may be turned, cut and lit so that they still show the same thing.

Works on raw pixels, before any scaling of a network. The same seed and picture give the same copies.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from PIL import Image

from vision_recipes.errors import SettingsError

PARAMETER = "model_custom_params_data_augmentation"


@dataclass(frozen=True)
class Span:
    """The values that one kind of variation takes: evenly from `low` to `high`, or one of `choices`."""

    low: float = 0.0
    high: float = 0.0
    choices: tuple[float, ...] = ()

    def draw(self, random: np.random.Generator) -> float:
        """Return one of the values."""
        if self.choices:
            return self.choices[int(random.integers(len(self.choices)))]
        return float(random.uniform(self.low, self.high))

    def __str__(self) -> str:
        if self.choices:
            return "one of " + ", ".join(f"{value:g}" for value in self.choices)
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


def _span(low: float, high: float, *, least: float, most: float, around: float | None) -> Any:
    """Declare a variation: its default range, its bounds, and what a single number means (`around` it, or just it)."""
    return field(default=Span(low, high), metadata={"least": least, "most": most, "around": around})


@dataclass(frozen=True)
class Plan:
    """How copies vary. Each value is drawn anew for each copy.

    `flip` mirrors half of the copies: "horizontal", "vertical", "both" or "none". `crop` is the part of the sides that
    is kept, `rotate` in degrees, `shift` in parts of the sides; `brightness`, `contrast` and `saturation` are factors.
    What comes into view from outside is the picture mirrored at its edge.
    """

    flip: str = "horizontal"
    crop: Span = _span(0.85, 1.0, least=0.1, most=1.0, around=None)
    rotate: Span = _span(-10.0, 10.0, least=-360.0, most=360.0, around=0.0)
    shift: Span = _span(0.0, 0.0, least=-0.5, most=0.5, around=0.0)
    brightness: Span = _span(0.8, 1.2, least=0.05, most=5.0, around=1.0)
    contrast: Span = _span(0.8, 1.2, least=0.05, most=5.0, around=1.0)
    saturation: Span = _span(1.0, 1.0, least=0.0, most=5.0, around=1.0)

    @classmethod
    def from_pairs(cls, pairs: Sequence[tuple[str, str]]) -> Self:
        """Return the safe defaults, changed by names and values; raises SettingsError with every mistake in them.

        `15` means from -15 to 15 degrees, `0.2` a factor from 0.8 to 1.2, `[0.8, 1.2]` from 0.8 to 1.2, and
        `{0, 90, 180}` one of these; `true` and `false` are for `flip`.
        """
        known = {spec.name: spec for spec in fields(cls)}
        values: dict[str, Any] = {}
        mistakes = []
        for name, written in pairs:
            if name not in known:
                close = difflib.get_close_matches(name, [*known, *_FORMER], 1, 0.5)
                meant = _FORMER.get(name) or (close[0] if close and close[0] in known else "")
                mistakes.append(
                    f"there is no {name!r}; there are {', '.join(known)}"
                    + (f" (did you mean {meant}?)" if meant else "")
                )
                continue
            try:
                values[name] = _read_flip(written) if name == "flip" else _read_span(written, known[name].metadata)
            except ValueError as err:
                mistakes.append(f"{name} = {written}: {err}")
        if mistakes:
            raise SettingsError(f"{PARAMETER}: " + "; ".join(mistakes))
        return cls(**values)

    def __str__(self) -> str:
        return ", ".join(f"{spec.name} {getattr(self, spec.name)}" for spec in fields(self))


_FORMER = {
    "rotation_range": "rotate",
    "width_shift_range": "shift",
    "height_shift_range": "shift",
    "brightness_range": "brightness",
    "zoom_range": "crop",
    "horizontal_flip": "flip",
    "vertical_flip": "flip",
    "channel_shift_range": "saturation",
}
"""The names of Keras' ImageDataGenerator, which the predecessor took, and what is meant by them here."""


def variants(pixels: np.ndarray, count: int, plan: Plan, seed_material: str) -> list[np.ndarray]:
    """Return varied copies, uint8 of the picture's own shape (height, width, 3); the unchanged one is not among them.

    `seed_material` is text that holds the seed and what tells pictures apart, such as the hash of the file.
    """
    copies = []
    for number in range(count):
        digest = hashlib.sha256(f"{seed_material}:{number}".encode()).digest()
        copies.append(_vary(pixels, plan, np.random.default_rng(int.from_bytes(digest[:16], "big"))))
    return copies


def _vary(pixels: np.ndarray, plan: Plan, random: np.random.Generator) -> np.ndarray:
    """Return one copy. Every kind of variation draws its values, used or not, so that each keeps its own luck."""
    mirror = random.random(2) < 0.5
    kept, degrees = plan.crop.draw(random), plan.rotate.draw(random)
    place, moved = random.uniform(-1, 1, 2), np.array([plan.shift.draw(random), plan.shift.draw(random)])
    brightness, contrast, saturation = (span.draw(random) for span in (plan.brightness, plan.contrast, plan.saturation))
    flips = (plan.flip in ("horizontal", "both") and mirror[0], plan.flip in ("vertical", "both") and mirror[1])
    turned = _move(pixels, kept, degrees, moved + place * (1 - kept) / 2)
    turned = turned[:: -1 if flips[1] else 1, :: -1 if flips[0] else 1]
    return _light(turned, brightness, contrast, saturation)


def _move(pixels: np.ndarray, kept: float, degrees: float, moved: np.ndarray) -> np.ndarray:
    """Return the pixels of the part that is kept, turned and moved, in one resampling."""
    if kept == 1 and not degrees and not moved.any():
        return pixels
    height, width = pixels.shape[:2]
    turn = math.radians(degrees)
    cosine, sine = kept * math.cos(turn), kept * math.sin(turn)
    middle = np.array([width, height]) * (0.5 + moved)
    reach = np.array([abs(cosine) * width + abs(sine) * height, abs(sine) * width + abs(cosine) * height]) / 2
    outside = np.maximum(reach - middle, middle + reach - (width, height))
    x, y = np.ceil(np.maximum(outside, 0)).astype(int) + 1
    wide = np.pad(pixels, ((y, y), (x, x), (0, 0)), "symmetric")
    start = middle + (x, y) - (cosine * width / 2 - sine * height / 2, sine * width / 2 + cosine * height / 2)
    matrix = (cosine, -sine, start[0], sine, cosine, start[1])
    moved_picture = Image.fromarray(wide).transform(
        (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
    )
    return np.asarray(moved_picture)


def _light(pixels: np.ndarray, brightness: float, contrast: float, saturation: float) -> np.ndarray:
    values = pixels.astype(np.float32) * np.float32(brightness)
    if contrast != 1:
        mean = np.float32(values.mean(dtype=np.float64))
        values = (values - mean) * np.float32(contrast) + mean
    if saturation != 1:
        grey = values @ np.array([0.299, 0.587, 0.114], np.float32)
        values = (values - grey[..., None]) * np.float32(saturation) + grey[..., None]
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _read_flip(written: str) -> str:
    word = {"true": "horizontal", "false": "none"}.get(written.lower(), written.lower())
    if word not in ("horizontal", "vertical", "both", "none"):
        raise ValueError("give horizontal, vertical, both or none")
    return word


def _read_span(written: str, rule: Any) -> Span:
    one_of, numbers = _read_numbers(written)
    for number in numbers:
        if not rule["least"] <= number <= rule["most"] and not (len(numbers) == 1 and rule["around"] is not None):
            raise ValueError(f"{number:g} is not from {rule['least']:g} to {rule['most']:g}")
    if one_of:
        return Span(choices=tuple(numbers))
    if len(numbers) == 1:
        return _around(numbers[0], rule)
    if numbers[0] > numbers[1]:
        raise ValueError(f"the range starts at {numbers[0]:g} and ends below, at {numbers[1]:g}")
    return Span(numbers[0], numbers[1])


def _around(number: float, rule: Any) -> Span:
    """Return what a single number means: up to so far from the middle both ways; for `crop`, from it to the whole."""
    middle = rule["around"]
    if middle is None:
        return Span(number, rule["most"])
    reach = abs(number)
    if not rule["least"] <= middle - reach or not middle + reach <= rule["most"]:
        raise ValueError(
            f"a single number is how far values go from {middle:g} both ways, within {rule['least']:g} to "
            f"{rule['most']:g}; for a range write [from, to]"
        )
    return Span(middle - reach, middle + reach)


def _read_numbers(written: str) -> tuple[bool, list[float]]:
    """Return the numbers in `5`, `[a, b]`, `a..b`, `[a, b, c]` or `{a, b}`, and whether one of them is to be chosen."""
    problem = f"{written[:60]!r} is not a number, a range such as [0.8, 1.2], or choices such as {{0, 90, 180}}"
    text = written.strip()
    inner: Callable[[str], list[str]] = lambda part: [word for word in part.split(",") if word.strip()]  # noqa: E731
    words = inner(text.strip("[](){}")) if text[:1] in ("[", "(", "{") else text.split("..") if ".." in text else [text]
    try:
        numbers = [float(word) for word in words]
    except ValueError as err:
        raise ValueError(problem) from err
    if not 1 <= len(numbers) <= 100 or not all(math.isfinite(number) for number in numbers):
        raise ValueError(problem)
    return text.startswith("{") or len(numbers) > 2, numbers
