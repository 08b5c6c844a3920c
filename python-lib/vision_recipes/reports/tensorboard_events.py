"""Scalars read from TensorBoard's event files, those of `tensorboard_logs` and those of Keras, without TensorFlow.

The files are TFRecords of Event messages. They may come from untrusted sources or be incomplete while training runs:
lengths are checked, and reading ends at the first record that is not complete. Checksums are not checked: a wrong point
in a chart does no harm.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LONGEST = 1 << 20
"""Larger records, in bytes, hold pictures or graphs and are skipped."""

_TYPES = {1: ("float_val", "<f"), 2: ("double_val", "<d")}
"""The field of a TensorProto with the values of each dtype, DT_FLOAT and DT_DOUBLE, and their code in `struct`."""


@dataclass(frozen=True)
class Scalar:
    """One point of one curve; `time` is seconds since 1970."""

    tag: str
    step: int
    value: float
    time: float


def read_scalars(content: bytes) -> Iterator[Scalar]:
    """Yield the scalars of an event file in file order; of a damaged or incomplete file, those before the damage."""
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto.event_pb2 import Event

    for record in _records(content):
        try:
            event = Event.FromString(record)
        except DecodeError:
            return
        for entry in event.summary.value:
            value = _value(entry)
            if value is not None:
                yield Scalar(entry.tag, event.step, value, event.wall_time)


def _records(content: bytes) -> Iterator[bytes]:
    """Yield the payload of each TFRecord: a length (8 bytes), its checksum (4), the payload, its checksum (4)."""
    start = 0
    while start + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, start)
        end = start + 12 + length
        if end + 4 > len(content):
            return
        if length <= LONGEST:
            yield content[start + 12 : end]
        start = end + 4


def _value(entry: Any) -> float | None:
    """Return the number of a Summary.Value that is a float or a tensor of one float or double, else None."""
    if entry.HasField("simple_value"):
        return float(entry.simple_value)
    if entry.tensor.dtype not in _TYPES:
        return None
    field, code = _TYPES[entry.tensor.dtype]
    values, content = getattr(entry.tensor, field), entry.tensor.tensor_content
    if len(content) == struct.calcsize(code):
        return float(struct.unpack(code, content)[0])
    return float(values[0]) if len(values) == 1 else None
