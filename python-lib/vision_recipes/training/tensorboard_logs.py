"""Training curves as TensorBoard reads them, written while training goes on, without waking TensorFlow.

The files are TFRecords of Event messages (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto):
so few fields of so stable a format that writing them takes less than importing a library for it (0.4 s).
"""

from __future__ import annotations

import struct
import time
from types import TracebackType
from typing import Self

from vision_recipes.stores import Store
from vision_recipes.training.epochs import Epoch

_EVERY = 1.0
"""Seconds between two writings of a file; a storage takes whole files only."""


class Curves:
    """The curves of one training: two files, `train` and `validation`, in a folder of TensorBoard logs.

    Use it in `with`; what an earlier training left in the folder goes when the first epoch is written.
    """

    def __init__(self, store: Store, folder: str = "tensorboard_logs") -> None:
        self._store = store
        self._folder = "/" + folder.strip("/")
        self._name = f"events.out.tfevents.{int(time.time())}.vision-recipes"
        self._files: dict[str, bytearray] = {}
        self._written = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._files:
            self._write()

    def add(self, epoch: Epoch) -> None:
        """Add an epoch's figures; the files show it at once, or a second later when epochs are shorter than that."""
        self._add(
            "train",
            epoch.number,
            {
                "epoch_loss": epoch.loss,
                "epoch_accuracy": epoch.accuracy,
                "epoch_learning_rate": epoch.learning_rate,
                "epoch_seconds": epoch.seconds,
            },
        )
        if epoch.val_loss is not None and epoch.val_accuracy is not None:
            figures = {"epoch_loss": epoch.val_loss, "epoch_accuracy": epoch.val_accuracy}
            self._add("validation", epoch.number, figures)
        if time.monotonic() - self._written >= _EVERY:
            self._write()

    def _add(self, run: str, step: int, figures: dict[str, float]) -> None:
        if not self._files:
            self._clear()
        content = self._files.setdefault(run, bytearray(_record(_event(0) + _field(3, b"brain.Event:2"))))
        values = b"".join(_field(1, _field(1, tag.encode()) + _float(2, value)) for tag, value in figures.items())
        content += _record(_event(step) + _field(5, values))

    def _write(self) -> None:
        for run, content in self._files.items():
            self._store.write(f"{self._folder}/{run}/{self._name}", bytes(content))
        self._written = time.monotonic()

    def _clear(self) -> None:
        for path in self._store.paths():
            if path.startswith(self._folder + "/") and "events.out.tfevents." in path:
                self._store.delete(path)


def _event(step: int) -> bytes:
    """Return the first fields of an Event: wall time (1, a double) and step (2)."""
    return b"\x09" + struct.pack("<d", time.time()) + b"\x10" + _varint(step)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _float(number: int, value: float) -> bytes:
    return _varint(number << 3 | 5) + struct.pack("<f", value)


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes(parts) + bytes([number])


def _record(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    return length + _masked_checksum(length) + content + _masked_checksum(content)


def _masked_checksum(content: bytes) -> bytes:
    """Return CRC-32C (Castagnoli), rotated and shifted as TFRecords want it."""
    register = 0xFFFFFFFF
    for byte in content:
        register = _TABLE[(register ^ byte) & 255] ^ register >> 8
    register ^= 0xFFFFFFFF
    return struct.pack("<I", ((register >> 15 | register << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF)


def _table() -> list[int]:
    rows = []
    for row in range(256):
        for _ in range(8):
            row = row >> 1 ^ 0x82F63B78 * (row & 1)
        rows.append(row)
    return rows


_TABLE = _table()
