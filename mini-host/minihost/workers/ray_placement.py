"""Runs shards on a Ray cluster: `--workers ray` and `--workers ray://HOST:PORT`.

Each worker is an actor, which Ray places and starts again where it died; it holds one process, in which the opened
model stays. A shard whose worker is lost is handed out again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

from minihost.hookspecs import hookimpl

if TYPE_CHECKING:
    from minihost.workers.ray_cluster import Place
    from minihost.workers.shards import Shard, Work

PATIENCE = 10.0
"""Seconds without a place for a worker after which that is said; then twice as long, and so on."""

FAREWELL = 3.0
"""Seconds that a worker has for removing what it wrote."""

POLLS = 50
"""How often all workers together are asked for what they printed, in a second."""

TRIES = 4
"""How often a worker may be lost before it is ready for its first shard."""


@hookimpl(trylast=True)
def minihost_place_shards(work: Work, where: str) -> Any:
    """Run the shards in actors of the Ray cluster that `where` names."""
    from minihost.workers.ray_cluster import colourless, connected, place_of

    place, began = place_of(where), time.monotonic()
    if place is None:
        return None
    from minihost.runs.inprocess import LineStream
    from minihost.workers.elsewhere import needs_of
    from minihost.workers.shards import CLUSTER

    # Ray prints what its nodes report to the standard output, which is the component's.
    notices: Any = LineStream(lambda line: work.line(CLUSTER, colourless(line)))
    with needs_of(work) as needs, contextlib.redirect_stdout(notices), connected(place) as ray:
        from minihost.workers.ray_worker import RayWorker

        fitting = int(ray.cluster_resources().get("CPU", 0)) // place.cpus
        count = min(place.workers or max(1, fitting), len(work.shards))
        work.expect(count)
        actor = ray.remote(RayWorker).options(
            num_cpus=place.cpus, max_restarts=-1, max_concurrency=2, scheduling_strategy="SPREAD"
        )
        listing = ray.put(work.listing.read_bytes())
        workers = [RemoteWorker(work, ray, actor.remote(needs, place.cpus), listing) for _ in range(count)]
        try:
            for number, worker in enumerate(workers, 1):
                worker.number, worker.pause, worker.began = number, max(1.0, count / POLLS), began
                worker.start()
            threading.Thread(target=_watch, args=(work, workers, place), daemon=True).start()
            work.wait()
        finally:
            _end(workers)
    return True


class RemoteWorker(threading.Thread):
    """Follows one actor: hands shards to it, takes what it printed and what it sends back."""

    number, pause, began = 0, 1.0, 0.0

    def __init__(self, work: Work, ray: Any, actor: Any, listing: Any) -> None:
        super().__init__(daemon=True)
        self.work, self.ray, self.actor, self._listing = work, ray, actor, listing
        self.placed = actor.lines.remote()
        """Is answered as soon as the actor has a place."""
        self.stopped = False

    def run(self) -> None:
        """Run one shard after the other until there is none."""
        from minihost.workers.ray_cluster import first_line

        try:
            with contextlib.suppress(_Stopped):
                while self._ready() and self._run_shards():
                    self.began = time.monotonic()
        except ConnectionError as err:
            self._fail(
                f"The connection to the Ray cluster is lost ({first_line(err)}). Run it again: what is done is kept."
            )
        except BaseException as err:
            self._fail(f"{type(err).__name__}: {err}")
            raise

    def _ready(self) -> bool:
        """Wait until the actor can take a shard; False when it never will."""
        from minihost.workers.ray_cluster import how_lost, no_host

        how = ""
        for _ in range(TRIES):
            try:
                found = self._answer(self.actor.ready.options(max_task_retries=-1).remote(self._listing))
            except self.ray.exceptions.RayError as err:
                if getattr(err, "actor_init_failed", False):
                    self._fail(no_host(err), "refused")
                    return False
                how = how_lost(err)
                continue
            if "reason" in found:
                self._fail(found["reason"], "refused")
                return False
            if "lost" not in found:
                self.work.line(self.number, f"on {found['node']}")
                self.work.started(self.number, time.monotonic() - self.began)
                return True
            how = found["lost"]
        self._fail(f"Worker {self.number} {how} before it was ready, for the {TRIES}th time.")
        return False

    def _run_shards(self) -> bool:
        """Run shards until there are none; True when the actor was lost, and starts again."""
        from minihost.workers.elsewhere import SHARD
        from minihost.workers.ray_cluster import how_lost

        while shard := self.work.next(self.number):
            try:
                found = self._answer(self.actor.run.remote(shard.moved(SHARD)), lines=True)
                if "lost" in found:
                    self._check_running()
                    self.work.lost(self.number, shard, found["lost"])
                    continue
                self._fetch(shard, found["files"])
            except self.ray.exceptions.RayError as err:
                self._check_running()
                self.work.lost(self.number, shard, how_lost(err))
                return True
            self.work.done(self.number, shard, found["outcome"], found["seconds"])
        return False

    def _answer(self, reference: Any, *, lines: bool = False) -> dict[str, Any]:
        """Wait for what the actor answers, and meanwhile hand on what it prints."""
        while not self.ray.wait([reference], timeout=self.pause)[0]:
            self._check_running()
            if lines:
                self._hand_on(self.ray.get(self.actor.lines.remote()))
        found: dict[str, Any] = self.ray.get(reference)
        self._hand_on(found.get("lines", []))
        return found

    def _fetch(self, shard: Shard, files: dict[str, list[Any]]) -> None:
        """Write the files that a shard left, a piece at a time."""
        for name, pieces in files.items():
            path = shard.folder / name
            if ".." in path.parts or not path.is_relative_to(shard.folder):
                self._fail(f"A node of the cluster sent a file called {name!r}, which leads out of its part.")
                raise _Stopped
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as stream:
                for piece in pieces:
                    stream.write(self.ray.get(piece))
                    self._check_running()

    def _hand_on(self, lines: list[str]) -> None:
        for line in lines:
            self.work.line(self.number, line)

    def _fail(self, reason: str, status: str = "failed") -> None:
        if not self.stopped:
            self.work.fail({"status": status, "reason": reason, "for_user": True})

    def _check_running(self) -> None:
        if self.stopped or self.work.over:
            raise _Stopped


class _Stopped(Exception):
    """Nothing more is to be done."""


def _watch(work: Work, workers: list[RemoteWorker], place: Place) -> None:
    """Say why workers have no place yet, for as long as they have none."""
    from minihost.workers.ray_cluster import unplaced

    ray, left, patience = workers[0].ray, {worker.placed: worker.number for worker in workers}, PATIENCE
    with contextlib.suppress(Exception):  # a connection that is lost is for the workers to report
        while left and not work.over:
            _, waiting = ray.wait(list(left), num_returns=len(left), timeout=patience)
            left = {reference: left[reference] for reference in waiting}
            patience *= 2
            if left and not work.over:
                work.line(min(left.values()), unplaced(ray, place, len(left)))


def _end(workers: list[RemoteWorker]) -> None:
    """End every actor: those that have a place remove what they wrote."""
    for worker in workers:
        worker.stopped = True
    ray = workers[0].ray
    with contextlib.suppress(Exception):  # where the connection is lost, Ray ends the actors itself
        placed, _ = ray.wait([worker.placed for worker in workers], num_returns=len(workers), timeout=0)
        ends = [worker.actor.end.remote() for worker in workers if worker.placed in placed]
        if ends:
            ray.wait(ends, num_returns=len(ends), timeout=FAREWELL)
        for worker in workers:
            ray.kill(worker.actor)
    for worker in workers:
        worker.join(worker.pause)
