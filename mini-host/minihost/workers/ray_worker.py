"""What runs inside an actor of Ray, on some node of the cluster: one process that runs one shard after the other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.job import Job
from minihost.plugins.code_envs import lookup
from minihost.workers.elsewhere import WORK, Needs, moved, root_here
from minihost.workers.worker_process import WorkerLost, WorkerProcess

PIECE = 16 << 20
"""Bytes of a file that travel as one object of Ray."""

LOCK = ".lock"
PREFIX = "minihost-worker-"


class RayWorker:
    """Runs shards on its node. What they write is sent back in pieces, so that driver and node need share no disk.

    Every method answers with facts, never with an exception of ours: Ray would wrap it.
    """

    def __init__(self, needs: Needs, cpus: int) -> None:
        # PYTHON_CPU_COUNT is Python's own word for how many CPUs a process may count on; a container may see more.
        self._needs = needs
        self._environment = {**needs.environment, "PYTHON_CPU_COUNT": str(cpus)}
        self._thread = ThreadPoolExecutor(1)  # a process belongs to the thread that made it
        self._guard = threading.Lock()
        self._lines: list[str] = []
        self._process: WorkerProcess | None = None
        self._folder: Path | None = None
        self._root = Path()

    def ready(self, listing: bytes) -> dict[str, Any]:
        """Make everything ready for a first shard; `listing` is the content of the listing file.

        Returns the `node` that this is, the `reason` why nothing can run here, or, in `lost`, how the process died.
        """
        try:
            self._thread.submit(self._prepare, listing).result()
        except WorkerLost as err:
            return {"lost": str(err), "lines": self.lines()}
        except HostError as err:
            return {"reason": str(err)}
        except OSError as err:
            return {"reason": f"On {os.uname().nodename}, {tempfile.gettempdir()} cannot be used: {err}."}
        return {"node": os.uname().nodename}

    def run(self, job: Job) -> dict[str, Any]:
        """Run a shard's job, which writes below `elsewhere.SHARD`: a folder of this worker takes its place.

        Returns its `outcome` and `seconds`, and `files`: the pieces of each, by path; or, in `lost`, how its process
        died; and what it printed that `lines` has not returned.
        """
        return self._thread.submit(self._run, job).result()

    def lines(self) -> list[str]:
        """Return what was printed since this was asked the last time."""
        with self._guard:
            lines, self._lines = self._lines, []
        return lines

    def end(self) -> None:
        """End the process, and remove everything that it wrote."""
        if self._process is not None:
            self._process.end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _prepare(self, listing: bytes) -> None:
        if self._folder is None:
            self._root = root_here(self._needs)
            self._folder = own_folder()
            (self._folder / "listing").write_bytes(listing)
        self._living()

    def _living(self) -> WorkerProcess:
        if self._process is None:
            python, warning = lookup.python_for(self._needs.plugin_id, self._root)
            if warning:
                self._say(f"warning: {warning}")
            process = WorkerProcess(self._environment, python, self._say)
            process.ready()
            self._process = process
        return self._process

    def _run(self, job: Job) -> dict[str, Any]:
        assert self._folder is not None
        place = self._folder / "shard"
        here = moved(job, place, self._root, self._folder / "listing")
        began = time.monotonic()
        try:
            outcome = self._living().run(here)
        except WorkerLost as err:
            self._process = None
            return {"lost": str(err), "lines": self.lines()}
        seconds = time.monotonic() - began
        try:
            files = {str(path.relative_to(place)): list(_pieces(path)) for path in _files(place)}
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return {"outcome": outcome, "seconds": seconds, "files": files, "lines": self.lines()}

    def _say(self, line: str) -> None:
        with self._guard:
            self._lines.append(line)


def own_folder() -> Path:
    """Return a new temporary folder, locked while this process lives; folders that dead ones left are removed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError), open(left, "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parent, ignore_errors=True)
    part = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
    fcntl.flock(os.open(part / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC), fcntl.LOCK_EX)
    return part.rename(part.with_name(part.name[1:]))  # it is found when it is locked, and not taken for a dead one's


def _files(place: Path) -> Iterator[Path]:
    """What a shard left, apart from its working directory and what the host notes beside it."""
    for folder, subfolders, names in os.walk(place):
        if Path(folder) == place:
            subfolders[:] = [name for name in subfolders if name != WORK]
        yield from (Path(folder, name) for name in names)


def _pieces(path: Path) -> Iterator[Any]:
    import ray

    with open(path, "rb") as stream:
        while piece := stream.read(PIECE):
            yield ray.put(piece)
