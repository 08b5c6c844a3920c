"""What pictures that are posted may cost: one alone, and all that wait."""

from __future__ import annotations

from dataclasses import dataclass

from vision_recipes.images.decoding import Limits

PICTURE = Limits(file_bytes=20_000_000, jpeg_memory=400_000_000, read_seconds=15.0, decode_seconds=10.0, scans=12)
"""A picture's limits where anyone may post one: pixels as for the recipes, less memory and time."""


@dataclass(frozen=True)
class ServingLimits:
    """`picture` are the limits of one. `pictures` and `bytes` bound those that are accepted and not yet answered.

    A picture counts with the bytes of its file until it is decoded.
    """

    picture: Limits = PICTURE
    pictures: int = 256
    bytes: int = 128_000_000


SERVING_LIMITS = ServingLimits()
