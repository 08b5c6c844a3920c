"""A picture of any mode and size to the network's size: converted strip by strip, so that it is never held twice."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image

from vision_recipes.preprocessing import Preprocessing

Box = tuple[float, float, float, float]
Convert = Callable[[Image.Image], Image.Image]
"""Returns a strip of a picture as mode L or RGB."""

_SIDES_SWAPPED = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)
_STRIP = 4_000_000
"""Pixels that are converted at a time."""


def placement(width: float, height: float, preprocessing: Preprocessing) -> tuple[Box, tuple[int, int]]:
    """Return which part of an upright picture is kept, as left, top, right, bottom, and the size it is resized to.

    The policy "inside", for thumbnails and not for networks, keeps the aspect without borders: one side is smaller.
    """
    goal = preprocessing.width, preprocessing.height
    if preprocessing.resize == "crop":
        scale = min(width / goal[0], height / goal[1]) * preprocessing.crop_fraction
        across, down = goal[0] * scale, goal[1] * scale
        left, top = (width - across) / 2, (height - down) / 2
        return (left, top, min(left + across, width), min(top + down, height)), goal
    if preprocessing.resize in ("pad", "inside"):
        scale = max(width / goal[0], height / goal[1])
        goal = max(1, round(width / scale)), max(1, round(height / scale))
    return (0.0, 0.0, width, height), goal


def kept(
    width: float, height: float, preprocessing: Preprocessing, turn: Image.Transpose | None
) -> tuple[Box, tuple[int, int]]:
    """Return the same as `placement`, in the picture as it is stored, which `turn` makes upright."""
    if turn not in _SIDES_SWAPPED:  # what is kept lies in the centre, so that mirroring does not move it
        return placement(width, height, preprocessing)
    (left, top, right, bottom), (across, down) = placement(height, width, preprocessing)
    return (top, left, bottom, right), (down, across)


def fit(
    image: Image.Image,
    preprocessing: Preprocessing,
    convert: Convert,
    *,
    extent: tuple[float, float] | None = None,
    turn: Image.Transpose | None = None,
) -> Image.Image:
    """Return a picture upright at the preprocessing's size, by its resize policy, with bilinear antialiasing.

    `extent` is how much of the picture's width and height is filled, where that is no whole number of pixels. `turn`
    makes it upright.
    """
    width, height = extent or image.size
    box, size = kept(width, height, preprocessing, turn)
    resized = _resized(image, convert, box, size)
    if turn is not None:
        resized = resized.transpose(turn)
    if preprocessing.resize != "pad":
        return resized
    canvas = Image.new(resized.mode, (preprocessing.width, preprocessing.height))
    canvas.paste(resized, ((canvas.width - resized.width) // 2, (canvas.height - resized.height) // 2))
    return canvas


def _resized(image: Image.Image, convert: Convert, box: Box, size: tuple[int, int]) -> Image.Image:
    """Return a part of a picture resized: across first, as Pillow does, unless that would make a larger picture."""
    if image.width * image.height <= _STRIP:
        return convert(image).resize(size, Image.Resampling.BILINEAR, box=box)
    left, top, right, bottom = box
    reach = max(1.0, (bottom - top) / size[1])
    first, last = max(0, math.floor(top - reach)), min(image.height, math.ceil(bottom + reach))
    narrow = image.width <= size[0]
    across = image.width if narrow else size[0]
    rows = max(1, _STRIP // image.width)
    canvas = None
    for start in range(first, last, rows):
        strip = convert(image.crop((0, start, image.width, min(start + rows, last))))
        if not narrow:
            strip = strip.resize((across, strip.height), Image.Resampling.BILINEAR, box=(left, 0, right, strip.height))
        if canvas is None:
            canvas = strip if last - first <= rows else Image.new(strip.mode, (across, last - first))
        if canvas is not strip:
            canvas.paste(strip, (0, start - first))
    assert canvas is not None
    canvas = canvas.resize(
        (across, size[1]), Image.Resampling.BILINEAR, box=(0, top - first, across, min(bottom, last) - first)
    )
    return canvas.resize(size, Image.Resampling.BILINEAR, box=(left, 0, right, size[1])) if narrow else canvas
