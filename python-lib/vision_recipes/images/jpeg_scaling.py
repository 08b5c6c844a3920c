"""When a JPEG may be decoded at a part of its size: the result must stay within two levels of full decoding."""

from __future__ import annotations

import numpy as np
from PIL import Image, JpegImagePlugin

from vision_recipes.images.resampling import Box

SCALES = ((4, 13.0), (2, 7.0))
"""Parts of its size that a JPEG is decoded at, and how many times smaller it must become for that."""

_LARGEST_CHANGE = 1.0
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
    first, second = (np.asarray(result.convert("RGB"), np.int16) for result in results)
    if np.abs(first - second).mean() > _LARGEST_CHANGE:
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


def _saturated(image: Image.Image) -> float:
    """Return the part of the pixels that are nearly black or full in a channel."""
    near = np.asarray(image) + np.uint8(_MARGIN) < 2 * _MARGIN  # 248 .. 255 become 0 .. 7
    return float((near if near.ndim == 2 else near[..., 0] | near[..., 1] | near[..., 2]).mean())
