"""Grey values of more than 8 bits to 0 .. 255, by the range that the file states, else by its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from vision_recipes.images.formats import png_significant_bits

DEPTHS = (8, 10, 12, 14, 16)
"""The depths in bits that cameras and scanners have."""

_PHOTOMETRIC, _BITS, _MIN, _MAX, _SAMPLE_FORMAT, _SIGNED_MIN, _SIGNED_MAX = 262, 258, 280, 281, 339, 340, 341
_A_LITTLE = 0.1
_STRIP = 4_000_000


def grey_range(image: Image.Image, content: bytes) -> tuple[float, float]:
    """Return the values that become black and white, from this picture alone; the first is larger for a negative.

    In this order: the range in a TIFF's tags; 0 to 1 for fractions that lie there, up to a little; for values from 0 to
    65,535 the smallest depth of DEPTHS that holds them all; otherwise the smallest and the largest value. A PNG that
    says how many bits count has that depth, unless its values are spread over all 16 bits, as they should be.
    """
    low, high = _extremes(image)
    tags = getattr(image, "tag_v2", {})
    black, white = _span(low, high, fractions=image.mode == "F")
    if image.format == "PNG" and (bits := png_significant_bits(content)):
        black, white = 0.0, float((1 << bits) - 1 if high < 1 << bits else 65535)
    if image.format == "TIFF" and (stated := _tagged(tags, low, high)) is not None:
        black, white = stated
    return (white, black) if image.format == "TIFF" and tags.get(_PHOTOMETRIC) == 0 else (black, white)


def is_unsigned(image: Image.Image) -> bool:
    """Return whether the 32-bit values of a TIFF are from 0 up: Pillow reads them all as signed."""
    tags = getattr(image, "tag_v2", {})
    return image.format == "TIFF" and image.mode == "I" and _number(tags.get(_SAMPLE_FORMAT, 1)) == 1


def stretched(image: Image.Image, black: float, white: float, *, unsigned: bool = False) -> Image.Image:
    """Return a picture as mode L: `black` becomes 0 and `white` 255, linearly, what lies beyond is clipped.

    A pixel that is not a number becomes `black`'s value, and so does all of a picture of one value without a range.
    """
    values: np.ndarray = _values(image, unsigned).astype(np.float64 if image.mode == "I" else np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = (values - black) * (255.0 / (white - black) if white != black else 0.0)
        scaled = np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0)
    return Image.fromarray(np.clip(scaled + 0.5, 0, 255).astype(np.uint8))


def _span(low: float, high: float, *, fractions: bool) -> tuple[float, float]:
    if fractions and low >= -_A_LITTLE and high <= 1 + _A_LITTLE:
        return 0.0, 1.0
    if low >= 0 and high <= 65535:
        return 0.0, float(next((1 << bits) - 1 for bits in DEPTHS if high <= (1 << bits) - 1))
    return low, high


def _tagged(tags: object, low: float, high: float) -> tuple[float, float] | None:
    """Return the range that a TIFF's tags tell, when it is one and holds values of the picture."""
    get = getattr(tags, "get")  # noqa: B009 (Pillow's class of tags has no public name)
    black = _number(get(_SIGNED_MIN, get(_MIN)))
    white = _number(get(_SIGNED_MAX, get(_MAX)))
    bits = _number(get(_BITS))
    if white is not None and (black or 0.0) < white and (black or 0.0) <= high and low <= white:
        return black or 0.0, white
    if bits is not None and 8 < bits < 16 and low >= 0 and high < 1 << int(bits):
        return 0.0, float((1 << int(bits)) - 1)
    return None


def _number(value: object) -> float | None:
    if isinstance(value, tuple):
        value = value[0] if value else None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if np.isfinite(number) else None


def _extremes(image: Image.Image) -> tuple[float, float]:
    """Return the smallest and largest finite value, 0 and 0 without one."""
    found = [(float(values.min()), float(values.max())) for values in _finite(image) if values.size]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else (0.0, 0.0)


def _values(image: Image.Image, unsigned: bool) -> np.ndarray:
    values = np.asarray(image)
    return values.view(np.uint32) if unsigned else values


def _finite(image: Image.Image) -> Iterator[np.ndarray]:
    rows, unsigned = max(1, _STRIP // image.width), is_unsigned(image)
    for start in range(0, image.height, rows):
        values = _values(image.crop((0, start, image.width, min(start + rows, image.height))), unsigned)
        yield values[np.isfinite(values)] if image.mode == "F" else values
