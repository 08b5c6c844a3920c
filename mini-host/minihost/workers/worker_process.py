"""A process of this machine that runs one shard after the other, as the one who holds it sees it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from minihost.job import Job
from minihost.runs import processes
from minihost.runs.joblog import Lines

GRACE = 3.0
PAUSE = 0.5
"""Seconds between two looks whether the process is still there; its pipes usually say so at once."""


class WorkerLost(Exception):
    """The process died; the message completes "Worker 2 …", as in "was killed (SIGKILL)"."""


class WorkerProcess:
    """One child process, with all that it starts. Everything but `end` is to be called from one thread.

    `environment` and `python` are those of a `Work`; `cpus` are the processors that it may use (empty: all);
    `on_line` gets every line that it prints, while `run` and `ready` wait. It dies with the thread that made it.
    """

    def __init__(
        self,
        environment: dict[str, str],
        python: str | None,
        on_line: Callable[[str], None],
        cpus: Sequence[int] = (),
    ) -> None:
        self._began = time.monotonic()
        self._on_line, self._lines = on_line, Lines()
        reports, theirs = os.pipe()
        try:
            command = [*processes.series_command(theirs, python), ",".join(map(str, cpus))]
            environment = processes.environment(environment, python)
            self._child = processes.Child(command, environment, Path.cwd(), None, pass_fds=(theirs,))
        except BaseException:
            os.close(reports)
            raise
        finally:
            os.close(theirs)
        self._reports = open(reports, "rb", buffering=0)  # noqa: SIM115 - closed with this object
        self._ended = threading.Lock()
        self._answers = b""
        self._selector = selectors.DefaultSelector()
        for stream in (self._child.process.stdout, self._reports):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._child.process.pid

    def ready(self) -> float:
        """Wait until it can take its first job; return the seconds since it was begun. Raises `WorkerLost`."""
        self._answer()
        return time.monotonic() - self._began

    def run(self, job: Job) -> dict[str, Any]:
        """Run a job to its end and return its outcome: `status` (done, failed, refused), `reason`, `for_user`.

        Raises `WorkerLost` when the process died, for which `end` is another reason.
        """
        given: Any = self._child.process.stdin
        try:
            given.write(json.dumps(dataclasses.asdict(job)).encode() + b"\n")
            given.flush()
        except (BrokenPipeError, ValueError):
            raise self._lost() from None
        return self._answer()

    def close(self) -> None:
        """Let it end by itself, for want of work, and then end what it left."""
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._child.process.stdin.close()  # type: ignore[union-attr]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.process.wait(GRACE)
        self.end()

    def end(self) -> None:
        """End it now with all that it started; from any thread, as often as one likes."""
        with self._ended:
            self._child.end()

    def _answer(self) -> dict[str, Any]:
        """Hand on what it prints until it reports something, and return that."""
        while True:
            for key, _ in self._selector.select(PAUSE):
                stream: Any = key.fileobj
                data = stream.read(1 << 16)
                if data == b"":
                    self._selector.unregister(stream)
                elif stream is not self._reports:
                    self._print(self._lines.of(data or b""))
                else:
                    self._answers += data or b""
            if self._answers.endswith(b"\n"):
                self._drain()
                answer: dict[str, Any] = json.loads(self._answers)
                self._answers = b""
                return answer
            if self._reports not in self._selector.get_map() or self._child.process.poll() is not None:
                raise self._lost()

    def _drain(self) -> None:
        """Hand on what it printed before it reported: all of that is in the pipe already."""
        pipe: Any = self._child.process.stdout
        while data := pipe.read(1 << 16):
            self._print(self._lines.of(data))

    def _lost(self) -> WorkerLost:
        self.end()
        self._drain()
        self._print(self._lines.rest())
        code = self._child.process.wait()
        how = processes.described(code) if code < 0 else f"exited early with code {code} (os._exit or similar)"
        return WorkerLost(how)

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            self._on_line(line)
