"""Results kept on any storage by picture content, so that an interrupted or repeated run computes only what is new.

A segment is a file that is written whole and never changed: a header, the digests of its pictures, a hash of its
values, the values. Segments of one model, precision and output share a folder; their names are random, so several runs
may add. Where opening a segment takes its time, as in an object storage, it is read whole at once, by several threads;
on a disk of this machine its values are read when a picture needs them.
"""

from __future__ import annotations

import hashlib
import logging
import math
import struct
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

import numpy as np

from vision_recipes.stores import Store

log = logging.getLogger("vision_recipes")

_HEADER = struct.Struct("<14sII")
_FORMAT = b"vision-kept-1\n"
_DIGEST = 32
_MAX_ROWS = 1 << 20
_SEGMENT_BYTES = 4 << 20
_BYTES_IN_MEMORY = 256 << 20
_OPENED_AT_ONCE = 16
_SLOW = 0.002
"""Seconds for the digests of a segment; a storage that was never quicker gives its values from the same stream."""


class FeatureCache:
    """The results of earlier runs, and those of this one as they come.

    `key` names all that determines a result besides the picture's content; a result has `length` finite numbers.
    `every` is after how many results a segment is written, in the background. Failures of the storage are logged and
    only cost time. `get` may be called from several threads.
    """

    def __init__(self, store: Store, key: str, length: int, *, every: int) -> None:
        self._store = store
        self._folder = f"/results/{key[:32]}/"
        self.length = length
        self._every = every
        self._lock = threading.Lock()
        self._rows: dict[bytes, tuple[str, int]] = {}
        self._loaded: OrderedDict[str, Future[np.ndarray | None]] = OrderedDict()
        self._bytes = 0
        self._quickest = math.inf
        self._new: list[tuple[bytes, np.ndarray]] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="feature-cache")
        self._writing: Future[bool] | None = None
        paths = [path for path in store.paths() if path.startswith(self._folder)]
        with ThreadPoolExecutor(_OPENED_AT_ONCE, thread_name_prefix="feature-cache") as readers:
            for path, digests in zip(paths, readers.map(self._open, paths), strict=True):
                self._rows.update((digest, (path, row)) for row, digest in enumerate(digests))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, digest: str) -> np.ndarray | None:
        """Return the result of the picture with this SHA-256 in hex, float32 (length,), or None."""
        path, row = self._rows.get(bytes.fromhex(digest), ("", 0))
        if not path:
            return None
        with self._lock:
            loading = self._loaded.get(path)
            if found := loading is not None:
                self._loaded.move_to_end(path)
            else:
                loading = self._loaded[path] = Future()
        values = loading.result() if found else self._load(path, loading)
        return None if values is None else values[row]

    def add(self, digest: str, vector: np.ndarray) -> None:
        """Keep a new result."""
        self._new.append((bytes.fromhex(digest), vector))
        if len(self._new) >= self._every or len(self._new) * vector.nbytes >= _SEGMENT_BYTES:
            self._send()

    def close(self) -> None:
        """Write what is left, and wait until it is in the storage."""
        if self._new:
            self._send()
        self._writer.shutdown()

    def _load(self, path: str, loading: Future[np.ndarray | None]) -> np.ndarray | None:
        """Read a segment's values, for which other threads may wait."""
        values = None
        try:
            values = self._values(path)
        finally:
            with self._lock:
                loading.set_result(values)
                self._bytes += 0 if values is None else values.nbytes
                self._drop_beyond_room(path)
        return values

    def _drop_beyond_room(self, newest: str) -> None:
        """Drop the segments that were not needed for longest; the lock is held."""
        while self._bytes > _BYTES_IN_MEMORY:
            oldest = next(iter(self._loaded))
            if oldest == newest or not self._loaded[oldest].done():
                return
            dropped = self._loaded.pop(oldest).result()
            self._bytes -= 0 if dropped is None else dropped.nbytes

    def _send(self) -> None:
        if self._writing is None or self._writing.result():
            self._writing = self._writer.submit(self._write, _segment(self._new))
        self._new = []

    def _write(self, content: bytes) -> bool:
        """Write a segment and return whether the storage took it; after a failure no more are written."""
        try:
            self._store.write(f"{self._folder}{uuid.uuid4().hex}.kept", content)
        except Exception as err:  # storages raise anything; the results themselves are not harmed
            log.warning(
                "the cache folder %r cannot be written, so a repeated run will compute again: %s. Check its rights and "
                "free space, or choose another cache_folder.",
                self._store.name,
                err,
            )
            return False
        return True

    def _open(self, path: str) -> list[bytes]:
        """Return the digests of a segment, none when it is damaged; that of a slow storage is read to its end."""
        began = time.perf_counter()
        try:
            with self._store.open(path) as stream:
                digests = self._head(stream)
                self._quickest = min(self._quickest, time.perf_counter() - began)
                if self._quickest >= _SLOW:
                    self._keep(path, stream, len(digests) // _DIGEST)
        except Exception as err:  # storages raise anything; what cannot be read is computed again
            log.warning("%s in the cache folder is ignored: %s", path, err)
            return []
        return [digests[start : start + _DIGEST] for start in range(0, len(digests), _DIGEST)]

    def _keep(self, path: str, stream: BinaryIO, rows: int) -> None:
        """Read the values of a segment that is open, where it is no larger than those written here and there is room.

        Raises ValueError when they are damaged.
        """
        size = rows * self.length * 4
        with self._lock:
            if size >= _SEGMENT_BYTES + self.length * 4 or self._bytes + size > _BYTES_IN_MEMORY:
                return
            self._bytes += size
        loaded: Future[np.ndarray | None] = Future()
        try:
            loaded.set_result(self._rest(stream, rows))
        except BaseException:
            with self._lock:
                self._bytes -= size
            raise
        with self._lock:
            self._loaded[path] = loaded

    def _values(self, path: str) -> np.ndarray | None:
        """Return a segment's values, or None when they are damaged: its pictures are then computed again."""
        try:
            with self._store.open(path) as stream:
                return self._rest(stream, len(self._head(stream)) // _DIGEST)
        except Exception as err:  # as above
            log.warning("%s in the cache folder is ignored: %s", path, err)
            return None

    def _rest(self, stream: BinaryIO, rows: int) -> np.ndarray:
        """Return the values that come after the digests; raises ValueError when they are damaged."""
        expected, content = _exactly(stream, _DIGEST), _exactly(stream, rows * self.length * 4)
        values = np.frombuffer(content, "<f4").reshape(rows, self.length)
        if hashlib.sha256(content).digest() != expected or not np.isfinite(values).all():
            raise ValueError("its values are not those that were written")
        return values

    def _head(self, stream: BinaryIO) -> bytes:
        """Return the digests of a segment, one after the other; raises ValueError when it cannot be one of these."""
        name, rows, length = _HEADER.unpack(_exactly(stream, _HEADER.size))
        if name != _FORMAT:
            raise ValueError("it is not a segment of results")
        if not 0 < rows <= _MAX_ROWS or length != self.length:
            raise ValueError(f"it announces {rows} results of {length} numbers, where each must have {self.length}")
        return _exactly(stream, rows * _DIGEST)


Find = Callable[[str], np.ndarray | None]
"""A function from a digest to a result, float32 (length,), or None."""


def find_too(cache: FeatureCache, store: Store, key: str, length: int) -> Find:
    """Return a `get` that also looks in the longer results of another key, which begin with those of this cache."""
    if length == cache.length:
        return cache.get
    longer = FeatureCache(store, key, length, every=1)

    def find(digest: str) -> np.ndarray | None:
        found = cache.get(digest)
        if found is None and (whole := longer.get(digest)) is not None:
            found = whole[: cache.length]
        return found

    return find


def _segment(results: list[tuple[bytes, np.ndarray]]) -> bytes:
    values = np.stack([vector for _, vector in results]).astype("<f4").tobytes()
    digests = b"".join(digest for digest, _ in results)
    header = _HEADER.pack(_FORMAT, len(results), len(results[0][1]))
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
