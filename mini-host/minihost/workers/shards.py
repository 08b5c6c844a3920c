"""The shards of one run and who works on which: what a placement takes its work from and reports to."""

from __future__ import annotations

import dataclasses
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.job import Job, Reference

JOINING = 0
"""The number of the shard that is none: the job that joins the parts of all others, on the machine of the host."""

CLUSTER = 0
"""The worker that is none: the place itself, where it has something to say."""

TRIES = 4
"""How often a shard is begun at most: once, and three times more when its worker is lost."""


@dataclass
class Shard:
    """One slice of the input folder, as a job of its own.

    `job` has the parameters `shard` (which is `number`, from 1) and `shards` set. It writes below `folder` alone, apart
    from caches; `folder` becomes a finished part when `Work.done` is called. `files` is how many files it holds,
    `tries` how often it was begun.
    """

    number: int
    job: Job
    folder: Path
    files: int = 0
    tries: int = 0

    def moved(self, folder: Path) -> Job:
        """Return the job as it runs in another folder, perhaps on another machine; what it leaves there belongs into
        `folder` of the shard, the subfolder `work` excepted."""

        def there(reference: Reference) -> Reference:
            path = Path(reference.path)
            if not path.is_relative_to(self.folder):
                return reference
            return dataclasses.replace(reference, path=str(folder / path.relative_to(self.folder)))

        outputs = [there(reference) for reference in self.job.outputs]
        return dataclasses.replace(self.job, work_dir=str(folder / "work"), outputs=outputs)


class Work:
    """The shards of a run that are left, for `minihost_place_shards`. All methods may be called from any thread.

    A placement says how many workers to `expect`, has them call `next` until it answers None, and reports what becomes
    of each shard with `done` or `lost`. `wait` returns when all is done, or nothing more is to be done; then the
    placement ends its workers and returns.

    `environment` are the environment variables of the component, `python` is its code environment's Python (None: the
    host's own), `listing` is the file that lists the input folder for every shard (see `minihost.folders.listing`).
    """

    def __init__(
        self,
        shards: Iterable[Shard],
        *,
        listing: Path,
        environment: dict[str, str],
        python: str | None = None,
        deadline: float | None = None,
        keep: Callable[[Shard], None] = lambda shard: None,
        join: Callable[[], Shard] | None = None,
        report: Reports | None = None,
    ) -> None:
        self.shards = list(shards)
        self.listing, self.environment, self.python = listing, environment, python
        self.outcome: dict[str, Any] | None = None
        """What ended the run early, as `minihost.runs.child` reports it: `status`, `reason`, `for_user`; else None."""
        self.timed_out = False
        self.is_joined = False
        """Whether one of the workers has joined the parts."""
        self._deadline, self._keep, self._join = deadline, keep, join
        self._report = report or Reports()
        self._left = deque(self.shards)
        self._undone = len(self.shards)
        self._changed = threading.Condition(threading.RLock())

    def expect(self, workers: int, *, here: bool = False) -> None:
        """Take note of how many workers there will be, before the first starts.

        Those that are `here`, on the machine of the host, get one job more at the end, which joins the parts: a process
        that lives needs no start for it.
        """
        with self._changed:
            if not here:
                self._join = None
            elif self._join is not None:
                self._undone += 1
            self._report.expect(workers)

    def next(self, worker: int) -> Shard | None:
        """Return the shard that a worker is to run now; None when it may end."""
        with self._changed:
            if self._join is not None and self._undone == 1 and not self.over:
                self._left.append(self._join())
                self._join = None
            if self.over or not self._left:
                return None
            shard = self._left.popleft()
            shard.tries += 1
            shutil.rmtree(shard.folder, ignore_errors=True)  # what a lost worker left of it
            self._report.began(worker, shard)
            return shard

    def started(self, worker: int, seconds: float) -> None:
        """Take note that a worker is ready for its first shard, after so many seconds; restarted ones say it again."""
        with self._changed:
            self._report.started(worker, seconds)

    def line(self, worker: int, text: str) -> None:
        """Log a line that a worker printed."""
        with self._changed:
            self._report.line(worker, text)

    def done(self, worker: int, shard: Shard, outcome: dict[str, Any], seconds: float) -> None:
        """Take a shard that ran to its end in so many seconds. A part is kept; a failure ends the run with its reason.

        Everything that the shard wrote is in its folder by then.
        """
        with self._changed:
            if self.over:
                return
            if outcome.get("status") != "done":
                self.fail(outcome)
                return
            if shard.number == JOINING:
                self.is_joined = True
            else:
                try:
                    self._keep(shard)
                except HostError as err:
                    self.fail({"status": "failed", "reason": str(err), "for_user": True})
                    return
                self._report.done(worker, shard, seconds)
            self._undone -= 1
            self._changed.notify_all()

    def lost(self, worker: int, shard: Shard, how: str) -> None:
        """Take back a shard whose worker died or cannot be reached; `how` completes "Worker 2 …", as in "died".

        It is the next to be run, by whoever asks; after the last try the run fails.
        """
        with self._changed:
            if self.over:
                return
            place = f"in shard {shard.number} of {len(self.shards)}" if shard.number else "while it joined the parts"
            text = f"Worker {worker} {how} {place}"
            if shard.tries >= TRIES:
                reason = f"{text}, for the {shard.tries}th time."
                reason += " Fewer --workers leave each more memory." if "memory" in how else ""
                self.fail({"status": "failed", "reason": reason, "for_user": True})
                return
            self._left.appendleft(shard)
            self._report.lost(worker, f"{text}: it is started again, and goes on with that.")
            self._changed.notify_all()

    def fail(self, outcome: dict[str, Any]) -> None:
        """End the run for this reason: `status` is failed or refused, `reason` a sentence, `for_user` whether that is
        all there is to say. What fails later does not count."""
        with self._changed:
            if self.outcome is None and not self.timed_out:
                self.outcome = outcome
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until every shard is done, the run failed, or its time is up. KeyboardInterrupt and `Interrupted` come
        through."""
        with self._changed:
            while not self.over:
                left = None if self._deadline is None else self._deadline - time.monotonic()
                if left is not None and left <= 0:
                    self.timed_out = True
                    return
                self._changed.wait(left)

    @property
    def over(self) -> bool:
        """Whether nothing is left to do: all is done, the run failed, or its time is up."""
        return self.complete or self.outcome is not None or self.timed_out

    @property
    def complete(self) -> bool:
        """Whether every shard is done, and the parts are joined where the workers do that."""
        return self._undone == 0


class Reports:
    """Is told of everything that happens to the workers; this one says nothing of it to anybody."""

    def expect(self, workers: int) -> None:
        """So many workers will start."""

    def began(self, worker: int, shard: Shard) -> None:
        """A worker begins with a shard."""

    def started(self, worker: int, seconds: float) -> None:
        """A worker is ready, after so many seconds."""

    def line(self, worker: int, text: str) -> None:
        """A worker printed a line."""

    def done(self, worker: int, shard: Shard, seconds: float) -> None:
        """A shard is done, after so many seconds."""

    def lost(self, worker: int, text: str) -> None:
        """A worker is gone; the text says how, and what happens next."""
