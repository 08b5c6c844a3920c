"""Small WEBP pictures: written from pixels, and told from anything else before a page shows one."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, WebPImagePlugin

_QUALITY = 72
_HEADER = 30
_KEY_FRAME = b"\x9d\x01\x2a"


def encode_webp(pixels: np.ndarray, side: int = 0, method: int = 2) -> bytes:
    """Return pixels uint8 (height, width, 3) as a WEBP file; with a `side`, at most so many pixels wide and high.

    `method` is from 0 (fast) to 6 (small).
    """
    image, stream = Image.fromarray(pixels), io.BytesIO()
    scale = side / max(image.size) if side else 1.0
    if scale < 1:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)
    # the import of the one format needed spares that of all others
    image.save(stream, WebPImagePlugin.WebPImageFile.format, quality=_QUALITY, method=method)
    return stream.getvalue()


def is_plain_webp(content: bytes, side: int) -> bool:
    """Return whether bytes are, by their headers, one lossy WEBP frame of at most `side` pixels.

    That is what encode_webp writes. Animation, metadata and anything before or after the frame are not
    allowed. Nothing is decoded.
    """
    data = int.from_bytes(content[16:20], "little")
    if len(content) <= _HEADER or len(content) != 20 + data + data % 2:
        return False
    riff = content[:4] == b"RIFF" and int.from_bytes(content[4:8], "little") == len(content) - 8
    frame = content[8:16] == b"WEBPVP8 " and not content[20] & 1 and content[23:26] == _KEY_FRAME
    width, height = (int.from_bytes(content[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    return riff and frame and 1 <= width <= side and 1 <= height <= side
