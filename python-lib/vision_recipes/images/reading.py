"""A folder's pictures in order, read ahead by threads: one read and one decode per file, nothing ever skipped."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.errors import PictureFolderError
from vision_recipes.images.decoding import LIMITS, Limits, Rejected, decode, repaired
from vision_recipes.images.formats import sniff
from vision_recipes.pictures import REASONS, Picture
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import Store, read_bytes

if TYPE_CHECKING:
    from vision_recipes.images.decoder_process import DecoderProcess

READING = 2
"""Counts up when the same file gives other pixels than before, so that results cached earlier are not used."""

Lookup = Callable[[Picture], np.ndarray | None]
"""Returns the cached result of a picture whose `digest` is known, float32 (length,), or None; called by any thread."""

_CONTAINED = ("TIFF", "WEBP", "GIF", "BMP", "AVIF", "HEIF")
"""Formats decoded outside the job's process; the decoders of JPEG and PNG are plain and the best tested of all."""

_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"}


def read(
    store: Store,
    paths: Iterable[str],
    preprocessing: Preprocessing,
    limits: Limits = LIMITS,
    *,
    lookup: Lookup | None = None,
    decode_cached: bool = False,
) -> Iterator[Picture]:
    """Yield one Picture per path, in order: with pixels at the preprocessing's size, a cached result, or a reason.

    A picture that `lookup` finds has its result as `cached`, and is decoded only with `decode_cached`. Memory holds
    some dozens of pictures, whatever the number of paths. A read that hangs is left behind: `timeout`.
    """
    readers = _Readers(store, preprocessing, limits, lookup, decode_cached=decode_cached)
    ahead: deque[_Slot] = deque()
    try:
        for path in paths:
            ahead.append(readers.submit(path))
            if len(ahead) > 16 * readers.count:
                yield readers.result(ahead.popleft())
        while ahead:
            yield readers.result(ahead.popleft())
    finally:
        readers.close()


def list_pictures(store: Store) -> list[str]:
    """Return the path of every file in a folder of pictures, sorted; raises PictureFolderError when there is none."""
    paths = store.paths()
    if not paths:
        raise PictureFolderError(f"Folder {store.name!r} has no files. Put pictures into it, or choose another folder.")
    return paths


def cpu_count() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hidden(path: str) -> bool:
    """Return whether a path is hidden or of a file that operating systems leave behind (`.DS_Store`, `Thumbs.db`)."""
    parts = path.strip("/").split("/")
    return any(part.startswith(".") or part == "__MACOSX" for part in parts) or parts[-1].lower() in _SYSTEM_FILES


@dataclass(eq=False)
class _Slot:
    """A picture's place in the order, filled by a reader thread."""

    path: str
    picture: Picture | None = None
    started: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)


class _Readers:
    """Threads that read and decode; daemons, so that one that hangs in a storage's call never holds up the end."""

    def __init__(
        self,
        store: Store,
        preprocessing: Preprocessing,
        limits: Limits,
        lookup: Lookup | None,
        *,
        decode_cached: bool,
    ) -> None:
        self.count = cpu_count()
        self._store, self._preprocessing, self._limits = store, preprocessing, limits
        self._lookup, self._decode_cached = lookup, decode_cached
        self._waiting: queue.SimpleQueue[_Slot | None] = queue.SimpleQueue()
        self._threads = 0
        self._closed = False

    def submit(self, path: str) -> _Slot:
        slot = _Slot(path)
        self._waiting.put(slot)
        if self._threads < self.count:
            self._start()
        return slot

    def result(self, slot: _Slot) -> Picture:
        patience = self._limits.read_seconds
        while not slot.done.wait(patience):
            if slot.started and time.monotonic() - slot.started >= patience:
                self._start()  # the thread that hangs is left behind
                return Picture(slot.path, reason="timeout", detail=f"not read and decoded within {patience:g} s")
        assert slot.picture is not None
        return slot.picture

    def close(self) -> None:
        self._closed = True
        for _ in range(self._threads):
            self._waiting.put(None)

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name=f"pictures-{self._threads}", daemon=True).start()

    def _work(self) -> None:
        with ExitStack() as stack:

            @cache
            def process() -> DecoderProcess:
                from vision_recipes.images.decoder_process import DecoderProcess

                return stack.enter_context(closing(DecoderProcess(self._limits)))

            while (slot := self._waiting.get()) is not None and not self._closed:
                slot.started = time.monotonic()
                slot.picture = self._read(slot.path, process)
                slot.done.set()

    def _read(self, path: str, process: Callable[[], DecoderProcess]) -> Picture:
        picture = Picture(path)
        try:
            content = read_bytes(self._store, path, self._limits.file_bytes)
            if len(content) > self._limits.file_bytes:
                raise Rejected("too_large", f"more than {self._limits.file_bytes} bytes")
            picture.digest = hashlib.sha256(content).hexdigest()
            if self._lookup is not None:
                picture.cached = self._lookup(picture)
            if picture.cached is None or self._decode_cached:
                self._decode(picture, content, process)
        except Rejected as err:
            picture.reason, picture.detail = err.reason, err.detail
        except FileNotFoundError as err:
            picture.reason, picture.detail = "missing", str(err)
        except Exception as err:  # storages raise anything; one file never ends the job
            named = getattr(err, "reason", None)  # set by our own stores; in other errors it means other things
            picture.reason = named if isinstance(named, str) and named in REASONS else "unreadable"
            picture.detail = f"{type(err).__name__}: {err}"
        return picture

    def _decode(self, picture: Picture, content: bytes, process: Callable[[], DecoderProcess]) -> None:
        """Give a picture its pixels; raises Rejected."""
        if _risky(content, self._limits):
            picture.pixels = process().decode(content, self._preprocessing)
            return
        try:
            picture.pixels = decode(content, self._preprocessing, self._limits)
        except Rejected as err:
            whole = repaired(content, self._limits) if err.reason == "truncated" else None
            if whole is None:
                raise
            picture.pixels = decode(whole, self._preprocessing, self._limits)
            picture.repaired = True


def _risky(content: bytes, limits: Limits) -> bool:
    name = sniff(content)
    return name in _CONTAINED or (name == "JPEG" and content.count(b"\xff\xda") > limits.scans)
