"""When a JPEG may be decoded at a part of its size: the result must stay within two levels of full decoding."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image, JpegImagePlugin

from vision_recipes.images.jpeg_end import FRAMES, segments, several_scans
from vision_recipes.images.resampling import Box

SCALES = ((4, 8.0), (2, 4.0))
"""Parts of its size that a JPEG is decoded at, and how many times smaller it must become for that."""

_LARGEST_CHANGE = 1.0
_LARGEST_DIFFERENCE = 1.0
_TOP_ROWS = 16
_LARGEST_DETAIL = 6000.0
_LARGEST_SATURATION = 30.0
_LARGEST_CLIPPING = 500.0
_MARGIN = 8
"""Found with 170 synthetic and real pictures at seven sizes, eight qualities (tests/images/test_jpeg_scaling.py)."""


def usable_scale(image: Image.Image, part: Box, goal: tuple[int, int]) -> int:
    """Return at which part of its size (4 for a quarter) a JPEG may be decoded whose `part` becomes `goal` pixels.

    Colours of print (CMYK) are decoded fully: their conversion is not linear.
    """
    if image.mode not in ("L", "RGB"):
        return 1
    reduction = min((part[2] - part[0]) / goal[0], (part[3] - part[1]) / goal[1])
    return next((scale for scale, least in SCALES if reduction >= least), 1)


def decoded_bytes(image: JpegImagePlugin.JpegImageFile, *, several_scans: bool, scale: int) -> int:
    """Return about how much memory decoding takes, in bytes: coefficients if there are several scans, then pixels."""
    pixels = image.width * image.height
    widest, tallest = (max((component[place] for component in image.layer), default=1) for place in (1, 2))
    samples = sum(component[1] * component[2] for component in image.layer) / (widest * tallest)
    stored = 1 if image.mode == "L" else 4
    return int(pixels * samples * 2) * several_scans + pixels * stored // scale**2


def faithful(
    image: Image.Image, content_bytes: int, scale: int, part: Box, results: tuple[Image.Image, Image.Image]
) -> bool:
    """Return whether a JPEG decoded at a part of its size gives what the whole would, to two levels on average.

    `results` are what the network would get from it, and from a picture of half that size: if halving changes
    little, so did the first reduction. Reduced decoding also averages values before they are clipped to 0 .. 255. That
    matters where saturated colours and fine detail meet, so both are bounded: detail by the bits that the file spends
    on a block of 8 x 8 pixels of the `part` that is used, and by the size of its quantisation steps.
    """
    if _difference(*results) > _LARGEST_CHANGE:
        return False
    tables = getattr(image, "quantization", {})
    step = max((float(np.sqrt(np.mean(np.square(table)))) for table in tables.values()), default=255.0)
    kept = image.crop((round(part[0]), round(part[1]), round(part[2]), round(part[3])))
    bits = 8 * content_bytes / (kept.width * kept.height * (scale / 8) ** 2)
    saturated = _saturated(kept)
    return (
        bits * step <= _LARGEST_DETAIL
        and saturated * bits <= _LARGEST_SATURATION
        and saturated * bits * step <= _LARGEST_CLIPPING
    )


def same_at_top(content: bytes, image: Image.Image, scale: int, part: Box, goal: tuple[int, int]) -> bool:
    """Return whether the top of a JPEG, 16 rows of the result, is the same when it is decoded in part and fully.

    `part` and `goal` are those of usable_scale. Patterns that only the fine detail of blocks shows, such as stripes of
    two pixels, are found here. Of a JPEG in several scans nothing can be decoded early: True.
    """
    if several_scans(content):
        return True
    width, height = image.width * scale, image.height * scale
    across, down = (part[2] - part[0]) / goal[0], (part[3] - part[1]) / goal[1]
    rows = min(height, math.ceil(_TOP_ROWS * down / 32) * 32)
    size = max(1, round(width / across)), max(1, round(rows / down))
    with Image.open(io.BytesIO(_shortened(content, rows)), formats=("JPEG",)) as top:
        whole = top.resize(size, Image.Resampling.BILINEAR)
        box = (0, 0, top.width / scale, rows / scale)
    reduced = image.crop((0, 0, image.width, rows // scale)).resize(size, Image.Resampling.BILINEAR, box=box)
    return _difference(whole, reduced) <= _LARGEST_DIFFERENCE


def _shortened(content: bytes, rows: int) -> bytes:
    """Return a JPEG that announces fewer rows; decoding ends after them."""
    place = next(place for marker, place, _ in segments(content) if marker in FRAMES)
    return content[: place + 5] + rows.to_bytes(2, "big") + content[place + 7 :]


def _difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean())


def _saturated(image: Image.Image) -> float:
    """Return the part of the pixels that are nearly black or full in a channel."""
    near = np.asarray(image) + np.uint8(_MARGIN) < 2 * _MARGIN  # 248 .. 255 become 0 .. 7
    return float((near if near.ndim == 2 else near[..., 0] | near[..., 1] | near[..., 2]).mean())
