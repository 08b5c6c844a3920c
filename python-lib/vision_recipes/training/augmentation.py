"""Augmentation: random flips, crops, rotations, shifts and light of a picture that still show the same thing.

Works on raw pixels, before the network's preprocessing. The same seed and picture give the same copies.
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
class Range:
    """The values that one operation draws from: evenly from `low` to `high`, or one of `choices`."""

    low: float = 0.0
    high: float = 0.0
    choices: tuple[float, ...] = ()

    def draw(self, random: np.random.Generator) -> float:
        """Return a random value."""
        if self.choices:
            return self.choices[int(random.integers(len(self.choices)))]
        return float(random.uniform(self.low, self.high))

    def __str__(self) -> str:
        if self.choices:
            return "one of " + ", ".join(f"{value:g}" for value in self.choices)
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


def _range(low: float, high: float, *, least: float, most: float, around: float | None) -> Any:
    """Declare an operation: its default range, its bounds, and the neutral value that a single number goes around."""
    return field(default=Range(low, high), metadata={"least": least, "most": most, "around": around})


@dataclass(frozen=True)
class AugmentationPlan:
    """The operations, with values that are drawn for each copy.

    `flip` mirrors half of the copies: "horizontal", "vertical", "both" or "none". `crop` is the fraction of the sides
    that is kept, `rotate` is in degrees, `shift` in fractions of the sides; `brightness`, `contrast` and `saturation`
    are factors. Areas from outside the picture are filled by its reflection.
    """

    flip: str = "horizontal"
    crop: Range = _range(0.85, 1.0, least=0.1, most=1.0, around=None)
    rotate: Range = _range(-10.0, 10.0, least=-360.0, most=360.0, around=0.0)
    shift: Range = _range(0.0, 0.0, least=-0.5, most=0.5, around=0.0)
    brightness: Range = _range(0.8, 1.2, least=0.05, most=5.0, around=1.0)
    contrast: Range = _range(0.8, 1.2, least=0.05, most=5.0, around=1.0)
    saturation: Range = _range(1.0, 1.0, least=0.0, most=5.0, around=1.0)

    @classmethod
    def from_pairs(cls, pairs: Sequence[tuple[str, str]]) -> Self:
        """Return the safe defaults, changed by names and values; raises SettingsError with everything wrong in them.

        `15` means from -15 to 15 degrees, `0.2` a factor from 0.8 to 1.2, `[0.8, 1.2]` from 0.8 to 1.2, and
        `{0, 90, 180}` one of these; `true` and `false` are for `flip`.
        """
        known = {spec.name: spec for spec in fields(cls)}
        values: dict[str, Any] = {}
        problems = []
        for name, written in pairs:
            if name not in known:
                close = difflib.get_close_matches(name, [*known, *_KERAS_NAMES], 1, 0.5)
                meant = _KERAS_NAMES.get(name) or (close[0] if close and close[0] in known else "")
                hint = f" (did you mean {meant}?)" if meant else ""
                problems.append(f"there is no operation {name!r}{hint}; there are {', '.join(known)}")
                continue
            try:
                values[name] = _read_flip(written) if name == "flip" else _read_range(written, known[name].metadata)
            except ValueError as err:
                problems.append(f"{name} = {written}: {err}")
        if problems:
            raise SettingsError(f"{PARAMETER}: " + "; ".join(problems))
        return cls(**values)

    def __str__(self) -> str:
        return ", ".join(f"{spec.name} {getattr(self, spec.name)}" for spec in fields(self))


_KERAS_NAMES = {
    "rotation_range": "rotate",
    "width_shift_range": "shift",
    "height_shift_range": "shift",
    "brightness_range": "brightness",
    "zoom_range": "crop",
    "horizontal_flip": "flip",
    "vertical_flip": "flip",
    "channel_shift_range": "saturation",
}
"""Names of Keras' ImageDataGenerator, which the predecessor plugin used, and their counterparts here."""


def augment(pixels: np.ndarray, count: int, plan: AugmentationPlan, seed_material: str) -> list[np.ndarray]:
    """Return augmented copies, uint8 of the picture's own shape (height, width, 3), without the original.

    `seed_material` is text that holds the seed and identifies the picture, such as the hash of its file.
    """
    copies = []
    for number in range(count):
        digest = hashlib.sha256(f"{seed_material}:{number}".encode()).digest()
        copies.append(_augment(pixels, plan, np.random.default_rng(int.from_bytes(digest[:16], "big"))))
    return copies


def _augment(pixels: np.ndarray, plan: AugmentationPlan, random: np.random.Generator) -> np.ndarray:
    """Return one copy. All values are drawn, used or not, so that a change of one operation leaves the others alone."""
    mirror = random.random(2) < 0.5
    kept, degrees = plan.crop.draw(random), plan.rotate.draw(random)
    place, shift = random.uniform(-1, 1, 2), np.array([plan.shift.draw(random), plan.shift.draw(random)])
    factors = [values.draw(random) for values in (plan.brightness, plan.contrast, plan.saturation)]
    flips = (plan.flip in ("horizontal", "both") and mirror[0], plan.flip in ("vertical", "both") and mirror[1])
    moved = _resample(pixels, kept, degrees, shift + place * (1 - kept) / 2)
    return _light(moved[:: -1 if flips[1] else 1, :: -1 if flips[0] else 1], *factors)


def _resample(pixels: np.ndarray, kept: float, degrees: float, shift: np.ndarray) -> np.ndarray:
    """Return the pixels cropped to the fraction `kept`, rotated and shifted, in one resampling."""
    if kept == 1 and not degrees and not shift.any():
        return pixels
    height, width = pixels.shape[:2]
    angle = math.radians(degrees)
    cosine, sine = kept * math.cos(angle), kept * math.sin(angle)
    centre = np.array([width, height]) * (0.5 + shift)
    reach = np.array([abs(cosine) * width + abs(sine) * height, abs(sine) * width + abs(cosine) * height]) / 2
    outside = np.maximum(reach - centre, centre + reach - (width, height))
    x, y = np.ceil(np.maximum(outside, 0)).astype(int) + 1
    padded = np.pad(pixels, ((y, y), (x, x), (0, 0)), "symmetric")
    start = centre + (x, y) - (cosine * width / 2 - sine * height / 2, sine * width / 2 + cosine * height / 2)
    matrix = (cosine, -sine, start[0], sine, cosine, start[1])
    size, bilinear = (width, height), Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(padded).transform(size, Image.Transform.AFFINE, matrix, bilinear))


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
        raise ValueError("choose horizontal, vertical, both or none")
    return word


def _read_range(written: str, rule: Any) -> Range:
    """Return the values written down; one number reaches from the neutral value, for `crop` to the whole picture."""
    one_of, numbers = _read_numbers(written)
    least, most, neutral = rule["least"], rule["most"], rule["around"]
    if len(numbers) == 1 and not one_of and neutral is not None:
        reach = abs(numbers[0])
        if not least <= neutral - reach or not neutral + reach <= most:
            raise ValueError(
                f"a single number is the largest change from {neutral:g} either way, which must stay within "
                f"{least:g} to {most:g}; for a range write [from, to]"
            )
        return Range(neutral - reach, neutral + reach)
    for number in numbers:
        if not least <= number <= most:
            raise ValueError(f"{number:g} is not from {least:g} to {most:g}")
    if one_of:
        return Range(choices=tuple(numbers))
    low, high = numbers if len(numbers) == 2 else (numbers[0], most)
    if low > high:
        raise ValueError(f"the range starts at {low:g} and ends below, at {high:g}")
    return Range(low, high)


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
