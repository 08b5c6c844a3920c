"""The engines of the last shard, kept open in this process for the next one of the same work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from vision_recipes.shards import Shard

log = logging.getLogger("vision_recipes")

Kept = TypeVar("Kept")
Result = TypeVar("Result")

_lock = threading.Lock()
_kept: dict[Hashable, object] = {}
"""What each depends on, and the engine. It is not here while it computes, so no two runs ever share it."""

_MOST = 4
"""How many are kept: a comparison has a network after the other in each shard."""


@dataclass(frozen=True)
class Opened(Generic[Kept]):
    """What was opened or taken up again, `it`; under which `circumstances` it may be kept, None for not at all."""

    it: Kept
    circumstances: Hashable | None

    def after(self, results: Iterator[Result]) -> Iterator[Result]:
        """Return all results; what gave them is kept for the next shard then, and let go after an error or a break."""
        return results if self.circumstances is None else self._then_kept(results)

    def _then_kept(self, results: Iterator[Result]) -> Iterator[Result]:
        yield from results
        with _lock:
            _kept[self.circumstances] = self.it
            while len(_kept) > _MOST:
                del _kept[next(iter(_kept))]


def open_or_take(circumstances: Hashable, open_new: Callable[[], Kept], shard: Shard) -> Opened[Kept]:
    """Return what was kept under the same circumstances, or a new one.

    `circumstances` are all that it depends on: a model by its content, so that one that has changed is opened anew.
    For the whole folder it is a new one, and not kept.
    """
    if shard.count == 1:
        return Opened(open_new(), None)
    with _lock:
        found = _kept.pop(circumstances, None)
    if found is not None:
        log.info("the model is still open from the last shard")
    return Opened(open_new() if found is None else cast(Kept, found), circumstances)
