"""The engine of the last shard, kept open in this process for the next one of the same work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

log = logging.getLogger("vision_recipes")

Kept = TypeVar("Kept")
Result = TypeVar("Result")

_lock = threading.Lock()
_kept: dict[Hashable, object] = {}
"""At most one: what it depends on, and the engine. It is not here while it computes, so no two runs ever share it."""


def take(circumstances: Hashable, open_new: Callable[[], Kept], *, kept: bool) -> Kept:
    """Return what was kept under the same circumstances, or a new one; what was kept under others is let go.

    `circumstances` are all that it depends on: a model by its content, so that one that has changed is opened anew.
    Without `kept`, a new one.
    """
    if not kept:
        return open_new()
    with _lock:
        found = _kept.pop(circumstances, None)
        _kept.clear()
    if found is None:
        return open_new()
    log.info("the model is still open from the last shard")
    return found  # type: ignore[return-value]  # what is kept under these circumstances is of their kind


def keep_after(results: Iterator[Result], circumstances: Hashable, opened: object) -> Iterator[Result]:
    """Yield all results, then keep what gave them for the next shard; after an error or a break it is let go."""
    yield from results
    with _lock:
        _kept.clear()
        _kept[circumstances] = opened
