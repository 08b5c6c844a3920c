"""What a person sees of the workers of a run, and what is kept in its log."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

from minihost.errors import counted
from minihost.runs.joblog import JobLog, is_library_noise
from minihost.runs.progress import Reporter
from minihost.workers.shards import CLUSTER, JOINING, Reports, Shard

_VARYING = re.compile(r"\d+(?:[.,:]\d+)*")
MOST_KINDS = 200
"""Kinds of lines of which the first is shown; a component that never says the same twice is cut off there."""


class RunReports(Reports):
    """Keeps every line in the log, and shows one moving line, and of lines that differ in numbers alone the first.

    `files` is how many files all shards hold, `done` how many of those an earlier run left done. `events` is the file
    from which others learn how far the run is.
    """

    def __init__(self, log: JobLog, show: Reporter, events: Path, *, files: int, done: int) -> None:
        self.log, self.show, self.events = log, show, events
        self.files, self.finished, self.before = files, done, done
        self.expected = 0
        self.startup: dict[int, float] = {}
        """Worker -> the seconds that its first start took, its first shard's share included."""
        self.times: dict[int, list[tuple[int, float]]] = {}
        """Worker -> files and seconds of each shard that it did."""
        self._alive: set[int] = set()
        self._began = self.last = time.monotonic()
        """When the work began, and when the last shard was done."""
        self._kinds: set[str] = set()
        self._is_announced = False
        self._joining: int | None = None
        """The worker that joins the parts."""
        self._steady: tuple[int, float] | None = None
        """Files and seconds at which every worker was done with its first shard."""
        self._report(target=[files, "FILES"], **({"progress": done} if done else {}))

    def expect(self, workers: int) -> None:
        """Take note of how many workers there will be."""
        self.expected = workers

    def started(self, worker: int, seconds: float) -> None:
        """Take note of a worker, and say once when all are ready."""
        self.startup.setdefault(worker, seconds)
        self._alive.add(worker)
        if len(self._alive) == self.expected:
            self._announce()

    def began(self, worker: int, shard: Shard) -> None:
        """Note it in the log."""
        if shard.number == JOINING:
            self._joining = worker
            return
        self.log.write(f"{self._who(worker)}shard {shard.number}: {counted(shard.files, 'file')}")

    def line(self, worker: int, text: str) -> None:
        """Keep a line, and show it if it is the first of its kind."""
        kept = self.log.write(self._who(worker) + text)
        kind = _VARYING.sub("#", text)
        if is_library_noise(text) or kind in self._kinds or len(self._kinds) >= MOST_KINDS:
            return
        self._kinds.add(kind)
        self.show.line(kept)

    def done(self, worker: int, shard: Shard, seconds: float) -> None:
        """Count it."""
        self._announce()
        self.times.setdefault(worker, []).append((shard.files, seconds))
        self.finished += shard.files
        self.last = time.monotonic()
        if self._steady is None and len(self.times) >= len(self._alive):
            self._steady = (self.finished - self.before, time.monotonic() - self._began)
        self._report(progress=self.finished, note=self._note())

    def lost(self, worker: int, text: str) -> None:
        """Say it: it costs time, and may happen again."""
        self._alive.discard(worker)
        self.show.line(self.log.write(f"warning: {text}"))

    def summary(self, joining: float) -> list[str]:
        """Return what is to be said at the end: how long it took to start, and whether that was worth it.

        `joining` are the seconds that only a run with workers takes afterwards.
        """
        if not self.startup:
            return []
        seconds = self.last - self._began
        later = [one for times in self.times.values() for one in times[1:]]
        rate = sum(took for _files, took in later) / max(1, sum(files for files, _took in later))
        starts = {
            worker: start + max(0.0, times[0][1] - times[0][0] * rate)
            for worker, start in self.startup.items()
            if (times := self.times.get(worker))
        }
        computing = rate * (self.finished - self.before)
        workers = counted(len(self.startup), "worker")
        lines = [f"{workers}: {counted(self.finished - self.before, 'file')} in {seconds + joining:.1f} s, of which "
                 f"{max(starts.values(), default=0.0):.1f} s to start."]  # fmt: skip
        opening = min((start - self.startup[worker] for worker, start in starts.items()), default=0.0)
        alone = opening + computing
        if alone < seconds + joining and len(self.startup) > 1:
            lines.append(f"That was longer than the work itself: without --workers, about {alone:.1f} s would do.")
        return lines

    def _announce(self) -> None:
        if not self._is_announced and self.startup:
            self._is_announced = True
            took = max(self.startup.values())
            self.show.line(self.log.write(f"{counted(len(self.startup), 'worker')}, ready after {took:.1f} s"))

    def _note(self) -> str:
        files, seconds = self.finished - self.before, time.monotonic() - self._began
        if self._steady and files > self._steady[0]:  # the first shards open the model
            files, seconds = files - self._steady[0], seconds - self._steady[1]
        rate = files / max(1e-9, seconds)
        left = (self.files - self.finished) / max(1e-9, rate)
        return f"{counted(len(self._alive), 'worker')}, {rate:.3g} a second, {_duration(left)} left"

    def _report(self, **event: Any) -> None:
        self.show.event(event)
        with contextlib.suppress(OSError), open(self.events, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(event) + "\n")

    def _who(self, worker: int) -> str:
        return "" if self.expected == 1 or worker in (self._joining, CLUSTER) else f"worker {worker}: "


def _duration(seconds: float) -> str:
    """Return a time in the largest unit that suits: 40 s, 12 min, 3.2 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
