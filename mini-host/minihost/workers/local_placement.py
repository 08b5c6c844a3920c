"""Runs shards in processes of this machine: `--workers 4`."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minihost.hookspecs import hookimpl

if TYPE_CHECKING:
    from minihost.workers.shards import Work
    from minihost.workers.worker_process import WorkerProcess


@hookimpl(trylast=True)
def minihost_place_shards(work: Work, where: str) -> Any:
    """Run the shards in as many processes of this machine as `where` says."""
    if not where.isdecimal():
        return None
    count = min(int(where), len(work.shards))
    work.expect(count, here=True)
    shares = shares_of_processors(count)
    workers = [LocalWorker(work, number, shares[number - 1]) for number in range(1, count + 1)]
    try:
        for worker in workers:
            worker.start()
        work.wait()
    finally:
        for worker in workers:
            worker.end(at_once=not work.complete)
    return True


class LocalWorker(threading.Thread):
    """Holds one process, and starts another where it died."""

    def __init__(self, work: Work, number: int, cpus: list[int]) -> None:
        super().__init__(name=f"worker {number}", daemon=True)
        self.work, self.number, self.cpus = work, number, cpus
        self.process: WorkerProcess | None = None
        self._guard = threading.Lock()
        self._stopped = False

    def run(self) -> None:
        """Run one shard after the other until there is none."""
        try:
            while not self._stopped and (shard := self.work.next(self.number)):
                self._run(shard)
            if self.process is not None:
                self.process.close()
        except BaseException as err:
            self.work.fail({"status": "failed", "reason": f"{type(err).__name__}: {err}", "for_user": True})
            raise

    def end(self, *, at_once: bool) -> None:
        """Wait until the process has ended for want of work, or end it at once."""
        if at_once:
            with self._guard:
                self._stopped = True
                if self.process is not None:
                    self.process.end()
        if self.ident is not None:
            self.join()

    def _run(self, shard: Any) -> None:
        from minihost.workers.worker_process import WorkerLost

        try:
            process = self._living()
            if process is None:
                return
            began = time.monotonic()
            outcome = process.run(shard.job)
        except WorkerLost as err:
            self.process = None
            if not self._stopped:
                self.work.lost(self.number, shard, str(err))
        else:
            self.work.done(self.number, shard, outcome, time.monotonic() - began)

    def _living(self) -> WorkerProcess | None:
        """The process, begun where there is none; None where all is to end, or none can be begun."""
        from minihost.workers.worker_process import WorkerProcess

        if self.process is not None:
            return self.process
        with self._guard:
            if self._stopped:
                return None
            try:
                self.process = WorkerProcess(self.work.environment, self.work.python, self._say, self.cpus)
            except OSError as err:
                reason = f"Worker {self.number} cannot be started: {err.strerror}. Take fewer --workers."
                self.work.fail({"status": "failed", "reason": reason, "for_user": True})
                return None
        self.work.started(self.number, self.process.ready())
        return self.process

    def _say(self, line: str) -> None:
        self.work.line(self.number, line)


def shares_of_processors(count: int) -> list[list[int]]:
    """Return which processors each of so many workers may use: disjoint sets of those that this process may use, with
    the threads of one core together; empty lists, for all, where there are too few, or one worker alone."""
    mine = sorted(os.sched_getaffinity(0), key=_core) if hasattr(os, "sched_getaffinity") else []
    if not 1 < count <= len(mine):
        return [[] for _ in range(count)]
    return [mine[len(mine) * number // count : len(mine) * (number + 1) // count] for number in range(count)]


def _core(cpu: int) -> tuple[int, int, int]:
    """Where a processor is: its package, its core, its number."""
    place = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
    try:
        return int((place / "physical_package_id").read_text()), int((place / "core_id").read_text()), cpu
    except (OSError, ValueError):
        return 0, cpu, cpu
