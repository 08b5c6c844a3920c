"""Reads the scalar curves out of TensorBoard's event files, without TensorFlow: those of `curves` and those of Keras.

The files are TFRecords of Event messages; whoever wrote them may be a stranger, or still be writing: lengths are
checked, and reading ends at the first record that is not whole. Checksums are not: a wrong figure in a picture of a
curve harms nobody.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 1 << 20
"""Records beyond this hold pictures or graphs; they are passed over."""

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
_DT_FLOAT, _DT_DOUBLE = 1, 2


@dataclass(frozen=True)
class Point:
    """One figure of one curve."""

    tag: str
    step: int
    value: float
    time: float


def points(content: bytes) -> Iterator[Point]:
    """Yield the figures of an event file in their order; of one that is damaged or unfinished those that are whole."""
    for record in _records(content):
        try:
            yield from _figures(record)
        except (ValueError, struct.error, IndexError):
            return


def _records(content: bytes) -> Iterator[bytes]:
    place = 0
    while place + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        end = place + 12 + length
        if end + 4 > len(content):
            return
        if length <= LONGEST:
            yield content[place + 12 : end]
        place = end + 4


def _figures(record: bytes) -> Iterator[Point]:
    moment, step, summary = 0.0, 0, b""
    for number, value in _fields(record):
        if number == 1 and isinstance(value, float):
            moment = value
        elif number == 2 and isinstance(value, int):
            step = value
        elif number == 5 and isinstance(value, bytes):
            summary = value
    for number, value in _fields(summary):
        if number == 1 and isinstance(value, bytes):
            tag, figure = _named(value)
            if figure is not None:
                yield Point(tag, step, figure, moment)


def _named(value: bytes) -> tuple[str, float | None]:
    """Return the tag and figure of a Summary.Value, which is a plain float or a tensor of one."""
    tag, figure = "", None
    for number, content in _fields(value):
        if number == 1 and isinstance(content, bytes):
            tag = content.decode("utf-8", "replace")
        elif number == 2 and isinstance(content, float):
            figure = content
        elif number == 8 and isinstance(content, bytes):
            figure = _scalar(content)
    return tag, figure


def _scalar(tensor: bytes) -> float | None:
    """Return the value of a tensor that holds one float or double, None for any other."""
    kind, value = 0, None
    for number, content in _fields(tensor):
        if number == 1 and isinstance(content, int):
            kind = content
        elif number in (4, 5, 6):  # raw bytes, packed floats, packed doubles
            if isinstance(content, float):
                value = content
            elif isinstance(content, bytes) and kind == _DT_FLOAT and len(content) == 4:
                (value,) = struct.unpack("<f", content)
            elif isinstance(content, bytes) and kind == _DT_DOUBLE and len(content) == 8:
                (value,) = struct.unpack("<d", content)
    return value if kind in (_DT_FLOAT, _DT_DOUBLE) else None


def _fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Yield the fields of a protocol buffer message as (number, value); raises ValueError where it is none."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, place = _varint(message, place)
            yield number, value
        elif kind == _DOUBLE:
            yield number, struct.unpack_from("<d", message, place)[0]
            place += 8
        elif kind == _FLOAT:
            yield number, struct.unpack_from("<f", message, place)[0]
            place += 4
        elif kind == _BYTES:
            length, place = _varint(message, place)
            if place + length > len(message):
                raise ValueError("a field longer than its message")
            yield number, message[place : place + length]
            place += length
        else:
            raise ValueError(f"a field of kind {kind}")


def _varint(message: bytes, place: int) -> tuple[int, int]:
    number, shift = 0, 0
    while shift < 70:
        byte = message[place]
        place += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place
        shift += 7
    raise ValueError("a number of more than ten bytes")
