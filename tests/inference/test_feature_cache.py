"""Results kept by content: what was written is found again, damage costs only what was damaged."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import numpy as np
import pytest
from inference.memory_store import MemoryStore

from vision_recipes.inference import feature_cache
from vision_recipes.inference.feature_cache import FeatureCache


def _digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _filled(store: MemoryStore, count: int, key: str = "a", every: int = 4) -> None:
    cache = FeatureCache(store, key, 3, every=every)
    for number in range(count):
        cache.add(_digest(number), np.array([number, -number, 0.25], np.float32))
    cache.close()


def test_results_are_found_by_the_next_run() -> None:
    store = MemoryStore()
    _filled(store, 10)
    cache = FeatureCache(store, "a", 3, every=4)
    assert len(cache) == 10 and len(store.files) == 3
    for number in (9, 0, 3, 7):
        found = cache.get(_digest(number))
        assert found is not None and found.tolist() == [number, -number, 0.25]
    assert cache.get(_digest(10)) is None


def test_another_model_or_precision_has_results_of_its_own() -> None:
    store = MemoryStore()
    _filled(store, 3)
    assert len(FeatureCache(store, "b", 3, every=4)) == 0


def test_two_runs_may_add_to_one_cache() -> None:
    store = MemoryStore()
    one, two = FeatureCache(store, "a", 3, every=1), FeatureCache(store, "a", 3, every=1)
    one.add(_digest(1), np.ones(3, np.float32))
    two.add(_digest(2), np.ones(3, np.float32))
    one.close()
    two.close()
    assert len(FeatureCache(store, "a", 3, every=1)) == 2


def test_a_run_that_is_killed_loses_no_more_than_one_segment() -> None:
    store = MemoryStore()
    cache = FeatureCache(store, "a", 3, every=4)
    for number in range(11):
        cache.add(_digest(number), np.ones(3, np.float32))
    cache._writer.shutdown()  # the writer ends as at a kill, without what is left
    assert len(FeatureCache(store, "a", 3, every=4)) == 8


@pytest.mark.parametrize("slow", [0.0, 1000.0])
@pytest.mark.parametrize("damage", ["cut in the digests", "cut in the values", "flipped", "empty", "other", "endless"])
def test_a_damaged_segment_is_ignored(
    damage: str, slow: float, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(feature_cache, "_SLOW", slow)
    store = MemoryStore()
    _filled(store, 8)
    path = store.paths()[0]
    content = store.files[path]
    store.files[path] = {
        "cut in the digests": content[:60],
        "cut in the values": content[:-3],
        "flipped": content[:-1] + bytes([content[-1] ^ 1]),
        "empty": b"",
        "other": b"hello, this is not a segment of results",
        "endless": content[:14] + b"\xff" * 8 + content[22:],
    }[damage]
    cache = FeatureCache(store, "a", 3, every=4)
    found = [number for number in range(8) if cache.get(_digest(number)) is not None]
    assert len(found) == 4
    assert caplog.text.count("ignored") == 1


def test_large_results_are_written_sooner() -> None:
    store = MemoryStore()
    cache = FeatureCache(store, "a", 3, every=1000)
    for number in range(5):
        cache.add(_digest(number), np.zeros(1 << 20, np.float32))
    cache.close()
    assert len(store.files) == 5


def test_a_storage_that_fails_does_not_end_the_job(caplog: pytest.LogCaptureFixture) -> None:
    class Full(MemoryStore):
        def write(self, path: str, content: bytes | BinaryIO) -> None:
            raise OSError("no space left")

    _filled(Full(), 20)  # type: ignore[arg-type]
    assert caplog.text.count("no space left") == 1


class Counting(MemoryStore):
    """Counts how often each file is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: Counter[str] = Counter()

    def open(self, path: str) -> BinaryIO:
        self.opened[path] += 1
        return super().open(path)


def _read_all(cache: FeatureCache, numbers: Iterable[int]) -> None:
    """Read results by several threads, as decoders do."""

    def one(number: int) -> None:
        found = cache.get(_digest(number))
        assert found is not None and found.tolist() == [number, -number, 0.25]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(one, numbers))


@pytest.mark.parametrize("slow", [0.0, 1000.0])
def test_segments_in_memory_are_bounded_by_their_bytes(slow: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "_BYTES_IN_MEMORY", 4 * 2 * 3 * 4)
    monkeypatch.setattr(feature_cache, "_SLOW", slow)
    store = MemoryStore()
    _filled(store, 100, every=2)
    cache = FeatureCache(store, "a", 3, every=4)
    for number in range(100):
        assert cache.get(_digest(number)) is not None
        assert len(cache._loaded) <= 4 and cache._bytes == 24 * len(cache._loaded)
    assert len(cache._loaded) == 4


def test_results_in_any_order_are_read_once_and_only_those_of_slow_storages_before_they_are_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Counting()
    _filled(store, 100, every=2)
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(100), 3)).tolist()
    monkeypatch.setattr(feature_cache, "_SLOW", 1000.0)
    cache = FeatureCache(store, "a", 3, every=4)
    assert not cache._loaded
    _read_all(cache, order)
    assert set(store.opened.values()) == {2}
    store.opened.clear()
    monkeypatch.setattr(feature_cache, "_SLOW", 0.0)
    _read_all(FeatureCache(store, "a", 3, every=4), order)
    assert set(store.opened.values()) == {1}


def test_slow_segments_are_opened_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Meeting(MemoryStore):
        """Answers when 16 files are asked for."""

        meet = threading.Barrier(16)

        def open(self, path: str) -> BinaryIO:
            self.meet.wait(10)
            return super().open(path)

    store = Meeting()
    _filled(store, 64)
    cache = FeatureCache(store, "a", 3, every=4)
    assert len(cache) == 64


def test_a_storage_that_raises_anything_costs_only_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    class ProtocolError(Exception):
        reason = "made up"

    store = MemoryStore()
    _filled(store, 8)
    cache, reading = FeatureCache(store, "a", 3, every=4), store.open

    def fail(path: str) -> BinaryIO:
        if path == store.paths()[0]:
            raise ProtocolError("connection broken")
        return reading(path)

    monkeypatch.setattr(store, "open", fail)
    assert sum(cache.get(_digest(number)) is not None for number in range(8)) == 4
    assert len(FeatureCache(store, "a", 3, every=4)) == 4


@pytest.mark.parametrize("vector", [np.ones(5), np.array([1, np.nan, 1]), np.array([1, np.inf, 1]), np.ones(0)])
def test_results_of_another_length_or_not_finite_are_ignored(vector: np.ndarray) -> None:
    store = MemoryStore()
    stranger = FeatureCache(store, "a", len(vector), every=1)
    stranger.add(_digest(1), vector.astype(np.float32))
    stranger.close()
    assert FeatureCache(store, "a", 3, every=1).get(_digest(1)) is None
