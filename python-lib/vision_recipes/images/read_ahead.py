"""Files of a slow storage fetched before they are decoded, by as many threads as it takes; quick ones are left alone.

How slow a storage is shows in how long the decoders wait for bytes: a file system of this machine answers within a
fraction of a millisecond, an object storage within 10 to 200.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from vision_recipes.stores import Store, read_bytes

MOST_THREADS = 64
MOST_BYTES = 256 << 20
"""Bytes of files that are fetched, or on their way, and not yet decoded."""

_FEWEST_THREADS = 8
_SLOW = 0.002
"""Seconds for a file; below, a thread's hand-over gains nothing."""
_MOST_QUICK = 0.25
"""The share of the last 32 files that may have been quicker. On a busy machine, some reads from its disk are slow."""
_SHARE = 0.2
"""The share of a decoder's time spent on waiting for bytes from which on more threads are started."""
_JUDGED = 4
"""So many waits are looked at before more threads are started."""


class Fetch:
    """One file on its way; `content` waits for it."""

    __slots__ = ("_ahead", "bytes", "content_or_error", "done", "is_taken", "is_needed_now", "path")

    def __init__(self, path: str, ahead: ReadAhead) -> None:
        self.path = path
        self._ahead = ahead
        self.is_taken = self.is_needed_now = False
        self.done: threading.Event | None = None
        self.content_or_error: bytes | BaseException = b""
        self.bytes = 0

    def content(self) -> bytes:
        """Return the file's bytes, at most one more than the limit, once; raises what the storage raises."""
        return self._ahead.content(self)

    def give_up(self) -> bool:
        """Wait no longer for a thread that hangs; return whether the file was being fetched by one of these."""
        return self._ahead.give_up(self)


class ReadAhead:
    """The files of a store in order; those ahead are fetched by threads once the store has shown that it is slow.

    `limit` is as in stores.read_bytes. Threads are daemons, so that one that hangs never holds up the end.
    """

    def __init__(self, store: Store, limit: int, most_bytes: int = MOST_BYTES) -> None:
        self._store, self._limit, self._most_bytes = store, limit, most_bytes
        lock = threading.Lock()
        self._idle, self._room = threading.Condition(lock), threading.Condition(lock)
        self._lock = lock
        self._waiting: deque[Fetch] = deque()
        self._under_way: set[Fetch] = set()
        self._sizes: deque[int] = deque(maxlen=16)
        self._bytes = 0
        self._threads = 0
        self._closed = False
        self._seconds: deque[float] = deque(maxlen=32)
        self._waits: deque[tuple[float, float]] = deque(maxlen=_JUDGED)
        self._decoder = threading.local()

    def over(self, paths: Iterable[str]) -> Iterator[Fetch]:
        """Yield a fetch for every path, in order; the paths are taken from `paths` as far ahead as they are fetched."""
        upcoming: deque[Fetch] = deque()
        for path in paths:
            fetch = Fetch(path, self)
            upcoming.append(fetch)
            with self._lock:
                self._waiting.append(fetch)
                self._idle.notify()
            while len(upcoming) > 2 * self._threads:
                yield upcoming.popleft()
        yield from upcoming

    def content(self, fetch: Fetch) -> bytes:
        """Return a file's bytes: those that a thread has fetched, or read here and now."""
        begun = time.perf_counter()
        with self._lock:
            fetch.is_needed_now = True
            own = not fetch.is_taken
            fetch.is_taken = True
            while self._waiting and self._waiting[0].is_taken:
                self._waiting.popleft()
            self._room.notify_all()
        try:
            return self._read(fetch) if own else self._fetched(fetch)
        finally:
            self._judge(begun)

    def give_up(self, fetch: Fetch) -> bool:
        """Free the decoder that waits for a fetch, and replace the thread that hangs in it."""
        with self._lock:
            if fetch not in self._under_way:
                return False
            self._fail(fetch)
        self._start()
        return True

    def close(self) -> None:
        """End all threads but those that hang, and let nobody wait."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            for fetch in list(self._under_way):
                self._fail(fetch)
            self._idle.notify_all()
            self._room.notify_all()

    def _fetched(self, fetch: Fetch) -> bytes:
        assert fetch.done is not None
        fetch.done.wait()
        with self._lock:
            found, fetch.content_or_error = fetch.content_or_error, b""
            self._release(fetch)
        if isinstance(found, BaseException):
            raise found
        return found

    def _judge(self, begun: float) -> None:
        """Note how long a decoder waited, out of the time since its last file, and start threads when that is much."""
        now = time.perf_counter()
        since, self._decoder.last = getattr(self._decoder, "last", begun), now
        self._waits.append((now - begun, now - since))
        if now - begun < _SLOW or len(self._waits) < _JUDGED:
            return
        with self._lock:
            if not self._is_slow():
                return
            self._waits.clear()
            more = min(max(_FEWEST_THREADS, self._threads), MOST_THREADS - self._threads)
            self._threads += more
        for _ in range(more):
            self._start()

    def _is_slow(self) -> bool:
        """Whether decoders wait much of their time, and for a storage that takes its time for most files."""
        seconds, waits = sorted(self._seconds), list(self._waits)
        if len(waits) < _JUDGED or seconds[int(_MOST_QUICK * len(seconds))] < _SLOW:
            return False
        return sum(wait for wait, _ in waits) >= _SHARE * sum(time for _, time in waits)

    def _read(self, fetch: Fetch, arrived: Callable[[int], None] | None = None) -> bytes:
        begun = time.perf_counter()
        try:
            return read_bytes(self._store, fetch.path, self._limit, arrived)
        finally:
            self._seconds.append(time.perf_counter() - begun)

    def _start(self) -> None:
        threading.Thread(target=self._work, name="read-ahead", daemon=True).start()

    def _work(self) -> None:
        while (fetch := self._next()) is not None:
            found: bytes | BaseException
            try:
                found = self._read(fetch, partial(self._arrived, fetch))
            except BaseException as err:  # raised again where the content is asked for
                found = err
            with self._lock:
                if fetch not in self._under_way:
                    return  # given up meanwhile, and this thread replaced
                self._under_way.discard(fetch)
                self._sizes.append(fetch.bytes)
                fetch.content_or_error = found
                assert fetch.done is not None
                fetch.done.set()

    def _next(self) -> Fetch | None:
        """Return the next file to fetch, None at the end; waits until there is one, and room for it."""
        with self._lock:
            while not self._closed:
                while self._waiting and self._waiting[0].is_taken:
                    self._waiting.popleft()
                if self._waiting and self._has_room():
                    fetch = self._waiting.popleft()
                    fetch.is_taken, fetch.done = True, threading.Event()
                    self._under_way.add(fetch)
                    if self._waiting:
                        self._idle.notify()
                    return fetch
                self._idle.wait()
            return None

    def _has_room(self) -> bool:
        """Whether one more file like the largest of the last ones fits, beside those under way."""
        expected = max(self._sizes, default=0) * (len(self._under_way) + 1)
        arrived = sum(fetch.bytes for fetch in self._under_way)
        fits = self._bytes - arrived + max(expected, arrived) <= self._most_bytes
        return fits or not (self._bytes or self._under_way)

    def _arrived(self, fetch: Fetch, size: int) -> None:
        """Count bytes that came; where there are too many, only the files that decoders wait for go on."""
        with self._lock:
            if fetch not in self._under_way:
                raise TimeoutError("given up")
            fetch.bytes += size
            self._bytes += size
            while self._bytes > self._most_bytes and not fetch.is_needed_now and fetch in self._under_way:
                self._room.wait()

    def _fail(self, fetch: Fetch) -> None:
        self._under_way.discard(fetch)
        fetch.content_or_error = TimeoutError("given up")
        assert fetch.done is not None
        fetch.done.set()
        self._release(fetch)

    def _release(self, fetch: Fetch) -> None:
        self._bytes, fetch.bytes = self._bytes - fetch.bytes, 0
        self._idle.notify()
        self._room.notify_all()
