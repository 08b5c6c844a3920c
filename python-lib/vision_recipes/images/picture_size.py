"""How many pixels a picture has, by its file's header."""

from __future__ import annotations

import io

from PIL import Image

from vision_recipes.images.decoding import LIMITS
from vision_recipes.images.formats import sniff
from vision_recipes.stores import Store, read_bytes

_PLAIN = ("JPEG", "PNG", "GIF", "BMP")
"""Formats whose headers Pillow reads by itself; the libraries of others only run in a process of their own."""

_HEADER = 1 << 20


def pixel_count(store: Store, path: str) -> int:
    """Return width times height; 0 where the header does not tell, the format is none of the plain ones, or no file."""
    try:
        content = read_bytes(store, path, min(_HEADER, LIMITS.file_bytes))
        name = sniff(content)
        if name not in _PLAIN:
            return 0
        with Image.open(io.BytesIO(content), formats=(name,)) as image:
            return image.width * image.height
    except Exception:  # storages and decoders raise anything; one file never ends the job
        return 0
