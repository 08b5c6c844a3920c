"""What happens to a picture before the network sees it, described once for training, scoring, serving and export."""

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


def normalise(pictures: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """Return what the network takes for pictures uint8 (n, height, width, 3) RGB: (x - mean) / std, float32."""
    ordered = pictures[..., ::-1] if preprocessing.channels == "bgr" else pictures
    return (ordered.astype(np.float32) - np.asarray(preprocessing.mean, np.float32)) / np.asarray(
        preprocessing.std, np.float32
    )
