"""What happens to a picture, and to columns beside it, before the network; described once for training and scoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESIZES = ("squash", "crop", "pad")

SCALINGS: dict[str, tuple[str, tuple[float, float, float], tuple[float, float, float]]] = {
    "caffe": ("bgr", (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
    "tf": ("rgb", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    "torch": ("rgb", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "zero_to_one": ("rgb", (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)),
    "raw": ("rgb", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Named scalings, as (channel order, mean, standard deviation) in units of 0..255, applied as (x - mean) / std."""


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the network's input: size in pixels, resize policy, then (x - mean) / std per channel.

    `mean` and `std` are in the order of `channels` ("rgb" or "bgr"), in units of 0..255.
    `resize`: "squash" ignores the aspect, "crop" cuts the centre, "pad" adds black borders.
    """

    width: int
    height: int
    channels: str = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    resize: str = "squash"

    @classmethod
    def named(cls, name: str, width: int, height: int, *, resize: str = "squash") -> Preprocessing:
        """Return the preprocessing with one of the named SCALINGS."""
        channels, mean, std = SCALINGS[name]
        return cls(width, height, channels, mean, std, resize)


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
    ordered = pictures[..., ::-1] if preprocessing.channels == "bgr" else pictures
    mean, std = np.asarray(preprocessing.mean, np.float32), np.asarray(preprocessing.std, np.float32)
    return (ordered.astype(np.float32) - mean) / std
