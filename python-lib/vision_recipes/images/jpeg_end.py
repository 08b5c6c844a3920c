"""A JPEG without its end: only the end marker is missing, or picture data too?"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator

from PIL import Image

END = b"\xff\xd9"
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd9\xff]")
FRAMES, _PROGRESSIVE, _SCAN = (0xC0, 0xC1, 0xC2), 0xC2, 0xDA
_JUNK = bytes(96), bytes((214 + 37 * place) % 255 for place in range(96))
"""They start with different bits, so that no code, such as that for the end of a block, begins both."""

_CUT, _SHORT = 16, 64
"""Bytes: how many are left out to see whether the last ones matter, and a last scan that is too short for that."""

_ROWS = 1 << 22


def completed(content: bytes) -> bytes | None:
    """Return a JPEG that lacks its end marker with it, or None when any of the picture's data is missing as well.

    Nothing is missing when all announced scans are there, whatever follows the data leaves every pixel as it is, and
    the last bytes are no padding, but matter. Decodes the picture up to three times at full size.
    """
    data = content[:-1] if content.endswith(b"\xff") else content
    if not scans_complete(data):
        return None
    try:
        whole = _digest(_continued(data, _JUNK[1]))
        if whole != _digest(_continued(data, _JUNK[0])):
            return None
        padded = len(data) - _last_scan(data) > _SHORT and whole == _digest(_continued(data[:-_CUT], _JUNK[1]))
    except Exception:  # as in decoding.decode: decoders raise anything
        return None
    return None if padded else data + END


def too_short(content: bytes) -> bool:
    """Return whether a JPEG in Huffman codes has less than a bit for each block of 8 x 8 pixels."""
    frame = next((segment for marker, _, segment in segments(content) if marker in FRAMES), b"")
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    return 8 * len(content) < (width // 8) * (height // 8)


def several_scans(content: bytes) -> bool:
    """Return whether a JPEG has several scans, so that decoding holds all its coefficients in memory."""
    frame, components = 0, b""
    for marker, _, segment in segments(content):
        if marker in FRAMES:
            frame, components = marker, segment[5:6]
        if marker == _SCAN:
            return frame == _PROGRESSIVE or components != segment[:1]
    return True


def scans_complete(content: bytes) -> bool:
    """Return whether the scans of a JPEG bring all coefficients of all components to their full precision."""
    missing: dict[int, set[int]] = {}
    for marker, _, segment in segments(content):
        if marker in FRAMES and not missing:
            missing = {component: set(range(64)) for component in segment[6::3]}
        if marker == _SCAN and segment and len(segment) == 2 * segment[0] + 4 and segment[-1] & 15 == 0:
            for component in segment[1:-3:2]:
                missing.get(component, set()).difference_update(range(segment[-3], segment[-2] + 1))
    return bool(missing) and not any(missing.values())


def segments(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield each segment's marker, its place, and what it holds; the data of scans lies between segments."""
    place = 2
    while found := _MARKER.search(content, place):
        length = int.from_bytes(content[found.end() : found.end() + 2], "big")
        place = found.end() + length
        yield content[found.end() - 1], found.start(), content[found.end() + 2 : place]


def _last_scan(content: bytes) -> int:
    return max((place for marker, place, _ in segments(content) if marker == _SCAN), default=0)


def _continued(data: bytes, junk: bytes) -> bytes:
    """Return a JPEG with junk where more of its data would stand, then the restart markers that may come next."""
    scan = _last_scan(data)
    places = [data.rfind(bytes((0xFF, 0xD0 + number)), scan) for number in range(8)]
    following = places.index(max(places)) + 1 if max(places) >= 0 else 0
    tail = b"".join(bytes((0xFF, 0xD0 + (following + place) % 8)) + junk for place in range(8))
    return data + junk + tail + END


def _digest(content: bytes) -> bytes:
    """Return a hash of a JPEG's pixels at full size."""
    found = hashlib.sha256()
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        image.load()
        rows = max(1, _ROWS // image.width)
        for start in range(0, image.height, rows):
            found.update(image.crop((0, start, image.width, min(start + rows, image.height))).tobytes())
    return found.digest()
