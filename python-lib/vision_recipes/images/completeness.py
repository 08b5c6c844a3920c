"""Does a PNG hold all of its lines? Pillow fills those that a short but well-formed stream leaves out with black."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from PIL import Image

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: first column, first row, column step and row step of each pass (PNG specification, section 8.2)."""


def lacks_lines(content: bytes, image: Image.Image) -> bool:
    """Return whether a decoded PNG's data ends before its last line.

    Missing lines are left zero, so the data is only counted when the last line is zero or the lines are interlaced.
    """
    if not image.info.get("interlace") and any(image.crop((0, image.height - 1, *image.size)).tobytes()):
        return False
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content[16:29])
    expected = _raw_bytes(width, height, depth * _SAMPLES.get(colour, 4), interlaced=bool(interlaced))
    return _inflated_bytes(content, expected) < expected


def _raw_bytes(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    total = 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -((left - width) // across), -((top - height) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _inflated_bytes(content: bytes, enough: int) -> int:
    stream, total = zlib.decompressobj(), 0
    try:
        for packed in _data_chunks(content):
            while packed and total < enough and not stream.eof:
                total += len(stream.decompress(packed, 1 << 20))
                packed = stream.unconsumed_tail
    except zlib.error:
        pass
    return total


def _data_chunks(content: bytes) -> Iterator[bytes]:
    position = 8
    while position + 8 <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        if content[position + 4 : position + 8] == b"IDAT":
            yield content[position + 8 : position + 8 + length]
        position += 12 + length
