"""What happens to a picture, and to columns beside it, before the network; described once for training and scoring."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vision_recipes.strict_json import require

MAX_SIDE = 4096
"""Pixels that a side of the pictures may have."""

RESIZES = ("squash", "crop", "pad")
CHANNELS = {"rgb": 3, "bgr": 3, "grey": 1}
"""Channel orders, and how many channels the network takes."""

LUMINANCE = (19595, 38470, 7471)
"""Parts of 65,536 of red, green and blue in a grey value (ITU-R 601-2), as Pillow computes it; exact in float32."""

SCALINGS: dict[str, tuple[str, tuple[float, ...], tuple[float, ...]]] = {
    "caffe": ("bgr", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
    "tf": ("rgb", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    "torch": ("rgb", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "lite": ("rgb", (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)),
    "zero_to_one": ("rgb", (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)),
    "raw": ("rgb", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Named scalings, as (channel order, mean, standard deviation) in units of 0..255, applied as (x - mean) / std."""


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the network's input: size in pixels, resize policy, then (x - mean) / std per channel.

    `mean` and `std` are in the order of `channels` ("rgb", "bgr", or "grey": one value), in units of 0..255.
    `resize`: "squash" ignores the aspect, "crop" cuts the centre, "pad" adds black borders. With "crop", the part
    `crop_fraction` of the largest centre that fits is cut out: 0.875 is 224 pixels out of a shorter side of 256.
    """

    width: int
    height: int
    channels: str = "rgb"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    resize: str = "squash"
    crop_fraction: float = 1.0

    @classmethod
    def named(cls, name: str, width: int, height: int, *, channels: int = 3, resize: str = "squash") -> Preprocessing:
        """Return the preprocessing with one of the named SCALINGS, for a network that takes 3 channels or 1.

        A grey network gets the mean of the three channels' numbers.
        """
        order, mean, std = SCALINGS[name]
        if channels == 1:
            order, mean, std = "grey", (sum(mean) / 3,), (sum(std) / 3,)
        return cls(width, height, order, mean, std, resize)

    def resized_by(self, resize: str) -> Preprocessing:
        """Return this preprocessing with another resize policy; a new "crop" takes the largest centre."""
        return self if resize == self.resize else replace(self, resize=resize, crop_fraction=1.0)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of what the network takes."""
        return self.height, self.width, CHANNELS[self.channels]


@dataclass(frozen=True)
class ExtraColumn:
    """A column of a table that joins the picture features: a number, standardised, or one of some categories.

    A missing number counts as the mean, an unknown category as none of them.
    """

    name: str
    kind: str
    mean: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many inputs of the head the column fills."""
        return 1 if self.kind == "number" else len(self.categories)

    def __post_init__(self) -> None:
        if self.kind not in ("number", "category"):
            raise ValueError(f"kind {self.kind[:60]!r} is not number or category")
        if self.scale <= 0 or len(self.categories) > 10_000 or (self.kind == "category" and not self.categories):
            raise ValueError("scale must be above 0, and categories between 1 and 10000")


def normalise(pictures: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Return what the network takes for pictures uint8 (n, height, width, 3) RGB: (x - mean) / std, float32."""
    if preprocessing.channels == "grey":
        ordered = (pictures.astype(np.int32) @ np.array(LUMINANCE, np.int32)[:, None] + 32768) >> 16
    else:
        ordered = pictures[..., ::-1] if preprocessing.channels == "bgr" else pictures
    mean, std = np.asarray(preprocessing.mean, np.float32), np.asarray(preprocessing.std, np.float32)
    return (ordered.astype(np.float32) - mean) / std


def check_preprocessing(preprocessing: Preprocessing) -> None:
    """Raise ValueError when a preprocessing that was read from a file cannot be used."""
    for side, size in (("width", preprocessing.width), ("height", preprocessing.height)):
        require(8 <= size <= MAX_SIDE, f"input.{side} must be between 8 and {MAX_SIDE}, not {size}")
    channels, resize = preprocessing.channels, preprocessing.resize
    require(channels in CHANNELS, f"input.channels {channels[:20]!r} is not one of {', '.join(CHANNELS)}")
    for name, values in (("mean", preprocessing.mean), ("std", preprocessing.std)):
        count = CHANNELS[channels]
        require(len(values) == count, f"input.{name} must have {count} values for {channels}, not {len(values)}")
    require(resize in RESIZES, f"input.resize {resize[:20]!r} is not one of {', '.join(RESIZES)}")
    require(all(value > 0 for value in preprocessing.std), "input.std must be above 0 for each channel")
    crop = preprocessing.crop_fraction
    require(0.1 <= crop <= 1, f"input.crop_fraction must be between 0.1 and 1, not {crop}")
    require(crop == 1 or resize == "crop", f"input.crop_fraction {crop} is for resize crop, not {resize}")
