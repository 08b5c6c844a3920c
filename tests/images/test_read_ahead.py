"""A slow storage is read by many threads ahead of the decoders, in bounded memory; a quick one by nobody else."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from vision_recipes.images import read_ahead
from vision_recipes.images.decoding import Limits
from vision_recipes.images.read_ahead import ReadAhead
from vision_recipes.images.reading import read
from vision_recipes.preprocessing import Preprocessing


class FarStore:
    """Files of a storage that answers after `delay` seconds; remembers how many were open at once."""

    name = "far"

    def __init__(self, sizes: list[int], delay: float) -> None:
        self.files = {f"/{place:04}": bytes([place % 251]) * size for place, size in enumerate(sizes)}
        self.delay = delay
        self.opened: list[str] = []
        self.at_once = self.most_at_once = 0
        self.held = self.most_held = 0
        self._lock = threading.Lock()

    def paths(self) -> list[str]:
        return sorted(self.files)

    def open(self, path: str) -> BinaryIO:
        with self._lock:
            self.opened.append(path)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            time.sleep(self.delay)
            return Counted(self, self.files[path])
        finally:
            with self._lock:
                self.at_once -= 1

    def hold(self, size: int) -> None:
        with self._lock:
            self.held += size
            self.most_held = max(self.most_held, self.held)

    def size(self, path: str) -> int | None:
        return None

    def write(self, path: str, content: bytes | BinaryIO) -> None:
        raise NotImplementedError

    def delete(self, path: str) -> None:
        raise NotImplementedError


class Counted(io.BytesIO):
    """A stream whose bytes count as held once they are read."""

    def __init__(self, store: FarStore, content: bytes) -> None:
        super().__init__(content)
        self._store = store

    def read(self, size: int | None = -1, /) -> bytes:
        part = super().read(size)
        self._store.hold(len(part))
        return part


@pytest.fixture
def closing() -> Iterator[list[ReadAhead]]:
    opened: list[ReadAhead] = []
    yield opened
    for one in opened:
        one.close()


def contents(store: FarStore, ahead: ReadAhead, decoding: float = 0.0) -> list[tuple[str, bytes]]:
    """Return what a single decoder gets."""
    found = []
    for fetch in ahead.over(store.paths()):
        content = fetch.content()
        store.hold(-len(content))
        found.append((fetch.path, content))
        time.sleep(decoding)
    return found


def test_files_of_a_slow_storage_are_fetched_many_at_once_in_order_and_once_each(closing: list[ReadAhead]) -> None:
    store = FarStore([100] * 300, delay=0.01)
    closing.append(ReadAhead(store, 1000))
    assert contents(store, closing[0]) == sorted(store.files.items())
    assert sorted(store.opened) == store.paths()
    assert 8 <= store.most_at_once <= read_ahead.MOST_THREADS + 1


@pytest.mark.parametrize(
    ("fetching", "decoding", "threads"),
    [(0.0005, 0.0001, False), (0.005, 0.1, False), (0.05, 0.005, True)],
    ids=["quick", "more to decode", "slow"],
)
def test_threads_are_started_only_where_decoders_wait_for_bytes(
    fetching: float, decoding: float, threads: bool, monkeypatch: pytest.MonkeyPatch, closing: list[ReadAhead]
) -> None:
    now = [0.0]

    class Clocked(FarStore):
        def open(self, path: str) -> BinaryIO:
            now[0] += fetching
            return super().open(path)

    monkeypatch.setattr(read_ahead, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    started: list[object] = []
    monkeypatch.setattr(ReadAhead, "_start", lambda ahead: started.append(ahead))
    store = Clocked([100] * 6, 0)
    closing.append(ReadAhead(store, 1000))
    for fetch in closing[0].over(store.paths()):
        fetch.content()
        now[0] += decoding
    assert bool(started) == threads


def test_memory_is_bounded_by_bytes_when_small_files_are_followed_by_large_ones(closing: list[ReadAhead]) -> None:
    most, large = 8 << 20, 5 << 20
    store = FarStore([100] * 150 + [large] * 40 + [100] * 100, delay=0.005)
    closing.append(ReadAhead(store, 1 << 30, most))
    found = contents(store, closing[0], decoding=0.0005)
    assert [len(content) for _, content in found] == [len(content) for _, content in sorted(store.files.items())]
    part = 1 << 20
    assert store.most_held <= most + large + read_ahead.MOST_THREADS * part
    assert store.most_at_once >= 8


def test_a_fetch_that_hangs_is_left_behind_and_one_that_fails_says_so() -> None:
    release = threading.Event()

    class Hanging(FarStore):
        def open(self, path: str) -> BinaryIO:
            if path in ("/0030", "/0031", "/0050"):
                release.wait(30)
            if path == "/0040":
                raise PermissionError("no")
            return super().open(path)

    store = Hanging([10] * 80, delay=0.01)
    pictures = read(store, store.paths(), Preprocessing(8, 8), Limits(read_seconds=0.4))
    reasons = {found.path: found.reason for found in pictures}
    release.set()
    assert list(reasons) == store.paths()
    timeouts = [path for path, reason in reasons.items() if reason == "timeout"]
    assert timeouts == ["/0030", "/0031", "/0050"]
    assert reasons["/0040"] == "unreadable"
    assert store.most_at_once >= 8


def test_what_nobody_asks_for_any_more_is_not_fetched() -> None:
    store = FarStore([10] * 3000, delay=0.01)
    pictures = read(store, store.paths(), Preprocessing(8, 8))
    for _ in range(60):
        next(pictures)
    pictures.close()  # type: ignore[attr-defined]
    time.sleep(0.05)
    opened = len(store.opened)
    assert opened < 400
    time.sleep(0.05)
    assert len(store.opened) == opened
