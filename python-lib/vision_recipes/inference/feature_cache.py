"""Results kept on any storage by picture content, so that an interrupted or repeated run costs what is new.

A segment is a file that is written whole and never changed: a header, the digests of its pictures, a hash of its
values, the values. Segments of one model, precision and output share a folder; their names are random, so several runs
may add.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import struct
import threading
import uuid
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import numpy as np

from vision_recipes.stores import Store

log = logging.getLogger("vision_recipes")

_MAGIC = b"vision-kept-1\n"
_HEADER = struct.Struct("<II")
_DIGEST = 32
_MOST_ROWS = 1 << 20
_SEGMENT_BYTES = 4 << 20
_IN_MEMORY = 256 << 20
_LISTED_AT_ONCE = 8


class Kept:
    """The results of earlier runs, and those of this one as they come.

    `key` names all that determines a result besides the picture's content; a result has `length` finite numbers.
    `every` is after how many results a segment is written, in the background. Safe to ask from several threads.
    """

    def __init__(self, store: Store, key: str, length: int, *, every: int) -> None:
        self._store = store
        self._folder = f"/results/{key[:32]}/"
        self._length = length
        self._every = every
        self._lock = threading.Lock()
        self._places: dict[bytes, tuple[str, int]] = {}
        self._loaded: OrderedDict[str, np.ndarray | None] = OrderedDict()
        self._new: list[tuple[bytes, np.ndarray]] = []
        self._writer: threading.Thread | None = None
        self._segments: queue.Queue[bytes | None] = queue.Queue(1)
        paths = [path for path in store.paths() if path.startswith(self._folder)]
        with ThreadPoolExecutor(_LISTED_AT_ONCE) as readers:
            for path, digests in zip(paths, readers.map(self._digests, paths), strict=True):
                self._places.update((digest, (path, row)) for row, digest in enumerate(digests))

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and self.get(digest) is not None

    def get(self, digest: str) -> np.ndarray | None:
        """Return the result of the picture with this SHA-256 in hex, or None."""
        with self._lock:
            place = self._places.get(bytes.fromhex(digest))
            if place is None:
                return None
            path, row = place
            if path not in self._loaded:
                self._loaded[path] = self._values(path)
                while len(self._loaded) > 1 and self._bytes() > _IN_MEMORY:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(path)
            values = self._loaded[path]
            return None if values is None else values[row]

    def add(self, digest: str, vector: np.ndarray) -> None:
        """Keep a new result."""
        self._new.append((bytes.fromhex(digest), vector))
        if len(self._new) >= self._every or len(self._new) * vector.nbytes >= _SEGMENT_BYTES:
            self._send()

    def close(self) -> None:
        """Write what is left, and wait until it lies in the storage."""
        if self._new:
            self._send()
        if self._writer is not None:
            self._segments.put(None)
            self._writer.join()
            self._writer = None

    def _bytes(self) -> int:
        return sum(values.nbytes for values in self._loaded.values() if values is not None)

    def _send(self) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="kept-results", daemon=True)
            self._writer.start()
        self._segments.put(_segment(self._new))
        self._new = []

    def _write(self) -> None:
        failed = False
        while (content := self._segments.get()) is not None:
            if failed:
                continue
            try:
                self._store.write(f"{self._folder}{uuid.uuid4().hex}.kept", content)
            except Exception as err:  # storages raise anything; the results themselves are not harmed
                failed = True
                log.warning("the cache cannot be written, so a repeated run will compute again: %s", err)

    def _digests(self, path: str) -> list[bytes]:
        try:
            with self._store.open(path) as stream:
                rows = self._rows(stream)
                digests = _exactly(stream, rows * _DIGEST)
        except Exception as err:  # storages raise anything; what cannot be read is computed again
            log.warning("%s of the cache is left aside: %s", path, err)
            return []
        return [digests[start : start + _DIGEST] for start in range(0, len(digests), _DIGEST)]

    def _values(self, path: str) -> np.ndarray | None:
        """Return a segment's values, or None when they are damaged: its pictures are then computed again."""
        try:
            with self._store.open(path) as stream:
                rows = self._rows(stream)
                _exactly(stream, rows * _DIGEST)
                expected, content = _exactly(stream, _DIGEST), _exactly(stream, rows * self._length * 4)
            values = np.frombuffer(content, "<f4").reshape(rows, self._length)
            if hashlib.sha256(content).digest() != expected or not np.isfinite(values).all():
                raise ValueError("its values are not those that were written")
        except Exception as err:  # as above
            log.warning("%s of the cache is left aside: %s", path, err)
            return None
        return values

    def _rows(self, stream: BinaryIO) -> int:
        """Return how many results a segment holds; raises ValueError when it cannot be one of these."""
        content = _exactly(stream, len(_MAGIC) + _HEADER.size)
        if not content.startswith(_MAGIC):
            raise ValueError("it is not a segment of results")
        rows, length = _HEADER.unpack(content[len(_MAGIC) :])
        if not 0 < rows <= _MOST_ROWS or length != self._length:
            raise ValueError(f"it tells of {rows} results of {length} numbers; {self._length} belong in each")
        return int(rows)


def _segment(results: list[tuple[bytes, np.ndarray]]) -> bytes:
    values = np.stack([vector for _, vector in results]).astype("<f4").tobytes()
    digests = b"".join(digest for digest, _ in results)
    header = _MAGIC + _HEADER.pack(len(results), len(results[0][1]))
    return header + digests + hashlib.sha256(values).digest() + values


def _exactly(stream: BinaryIO, length: int) -> bytes:
    parts, left = [], length
    while left > 0:
        part = stream.read(min(left, 1 << 24))
        if not part:
            raise ValueError("it is cut off")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
