"""A folder's pictures in order, read ahead by threads: one read and one decode per file, nothing ever skipped."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from vision_recipes.errors import PictureFolderError
from vision_recipes.images.decoding import LIMITS, Limits
from vision_recipes.images.picture_decoder import Lookup, PictureDecoder
from vision_recipes.images.read_ahead import Fetch, ReadAhead
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import Store

READING = 2
"""Counts up when the same file gives other pixels than before, so that results cached earlier are not used."""

_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"}


def read(
    store: Store,
    paths: Iterable[str],
    preprocessing: Preprocessing,
    limits: Limits = LIMITS,
    *,
    lookup: Lookup | None = None,
    decode_cached: Collection[str] = (),
) -> Iterator[Picture]:
    """Yield one Picture per path, in order: with pixels at the preprocessing's size, a cached result, or a reason.

    A picture that `lookup` finds has its result as `cached`, and is decoded only if `decode_cached` has its path.
    Memory holds some dozens of pictures, whatever the number of paths, and of files that are read ahead from a slow
    storage at most read_ahead.MOST_BYTES. A read that hangs is left behind: `timeout`.
    """
    readers = _Readers(preprocessing, limits, lookup, decode_cached=decode_cached)
    files = ReadAhead(store, limits.file_bytes)
    ahead: deque[_Slot] = deque()
    try:
        for fetch in files.over(paths):
            ahead.append(readers.submit(fetch))
            if len(ahead) > 16 * readers.count:
                yield readers.result(ahead.popleft())
        while ahead:
            yield readers.result(ahead.popleft())
    finally:
        readers.close()
        files.close()


def list_pictures(store: Store) -> list[str]:
    """Return the path of every file in a folder of pictures, sorted; raises PictureFolderError when there is none."""
    paths = store.paths()
    if not paths:
        raise PictureFolderError(f"Folder {store.name!r} has no files. Put pictures into it, or choose another folder.")
    return paths


def cpu_count() -> int:
    """Return how many CPUs this process may use: those that PYTHON_CPU_COUNT says, as Python 3.13 has it, or all."""
    if (given := os.environ.get("PYTHON_CPU_COUNT", "")).isdecimal() and int(given):
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hidden(path: str) -> bool:
    """Return whether a path is hidden or of a file that operating systems leave behind (`.DS_Store`, `Thumbs.db`)."""
    parts = path.strip("/").split("/")
    return any(part.startswith(".") or part == "__MACOSX" for part in parts) or parts[-1].lower() in _SYSTEM_FILES


def _held() -> threading.Lock:
    """Return a lock that is released when a picture is there; an Event takes twenty times as long to make."""
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Slot:
    """A picture's place in the order, filled by a reader thread."""

    fetch: Fetch
    picture: Picture | None = None
    started: float = 0.0
    done: threading.Lock = field(default_factory=_held)


class _Readers:
    """Threads that read and decode; daemons, so that one that hangs in a storage's call never holds up the end."""

    def __init__(
        self, preprocessing: Preprocessing, limits: Limits, lookup: Lookup | None, *, decode_cached: Collection[str]
    ) -> None:
        self.count = cpu_count()
        self._preprocessing, self._limits = preprocessing, limits
        self._lookup, self._decode_cached = lookup, frozenset(decode_cached)
        self._waiting: queue.SimpleQueue[_Slot | None] = queue.SimpleQueue()
        self._threads = 0
        self._closed = False

    def submit(self, fetch: Fetch) -> _Slot:
        slot = _Slot(fetch)
        self._waiting.put(slot)
        if self._threads < self.count:
            self._start()
        return slot

    def result(self, slot: _Slot) -> Picture:
        patience = self._limits.read_seconds
        while slot.picture is None and not slot.done.acquire(timeout=patience):
            if slot.started and time.monotonic() - slot.started >= patience:
                if not slot.fetch.give_up():
                    self._start()  # the thread that hangs is left behind
                return Picture(slot.fetch.path, reason="timeout", detail=f"not read and decoded within {patience:g} s")
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
        with closing(PictureDecoder(self._preprocessing, self._limits, self._lookup, self._decode_cached)) as decoder:
            while (slot := self._waiting.get()) is not None and not self._closed:
                slot.started = time.monotonic()
                slot.picture = decoder.picture(slot.fetch.path, slot.fetch.content)
                slot.done.release()
