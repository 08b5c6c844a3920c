"""How far a job is, in the log: pictures per second, done of total, time left; at the end, counts by reason."""

from __future__ import annotations

import logging
import time
from collections import Counter

from vision_recipes.pictures import Picture

log = logging.getLogger("vision_recipes")

_EVERY = 2.0


class Progress:
    """A tally of pictures that writes a line every two seconds; `verb` is what was done, as in "classified"."""

    def __init__(self, verb: str, total: int) -> None:
        self.reasons: Counter[str] = Counter()
        self._verb, self._total = verb, total
        self._done = 0
        self._kept = 0
        self._started = self._told = time.perf_counter()

    def add(self, picture: Picture, *, kept: bool = False) -> None:
        """Count a picture; `kept` when its result was known from an earlier run."""
        self._done += 1
        self._kept += kept
        if picture.reason:
            self.reasons[picture.reason] += 1
            log.debug("%s: %s %s", picture.path, picture.reason, picture.detail)
        now = time.perf_counter()
        if now - self._told >= _EVERY:
            self._told = now
            rate = self._done / (now - self._started)
            left = (self._total - self._done) / rate
            log.info(
                "%s %d / %d pictures, %.1f pictures/s, %.0f s left", self._verb, self._done, self._total, rate, left
            )

    def finish(self) -> None:
        """Write the last line: how many, how fast, how many without a result and why."""
        seconds = time.perf_counter() - self._started
        read = self._done - self.reasons.total()
        known = f" ({self._kept} known from the cache)" if self._kept else ""
        rate = self._done / seconds if seconds else 0.0
        log.info("%s %d of %d files%s in %.1f s, %.1f pictures/s", self._verb, read, self._done, known, seconds, rate)
        if self.reasons:
            counts = ", ".join(f"{reason} {count}" for reason, count in self.reasons.most_common())
            tell = log.warning if not read else log.info
            tell("%d files have no result: %s", self.reasons.total(), counts)
