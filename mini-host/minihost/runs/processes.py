"""One child process with all that it starts: begun in its own group, watched, and ended as a whole."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "MINIHOST_RUN"
"""The environment variable by which everything that a run started is known, also what left its process group. It begins
with this process's id, which the child compares with its parent's (see `minihost.runs.child`)."""

GRACE = 3.0
PAUSE = 0.2


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (negative: the signal), and whether the deadline ended it."""

    code: int
    timed_out: bool = False


class Child:
    """A running child process whose output is read line by line. Its standard input is `given`; None leaves it open."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        cwd: Path,
        given: bytes | None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.mark = f"{os.getpid()}-{time.time_ns()}"
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**environment, MARK: self.mark},
            start_new_session=True,
            pass_fds=pass_fds,
        )
        if given is None:
            return
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(given)
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it died at once; its exit code says how

    def follow(self, on_data: Callable[[bytes], None], on_pause: Callable[[], None], timeout: float | None) -> Ended:
        """Hand on the output until the child ends or the deadline passes; then end whatever it left behind."""
        deadline = None if timeout is None else time.monotonic() + timeout
        timed_out = False
        pipe: Any = self.process.stdout
        os.set_blocking(pipe.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while self.process.poll() is None:
                if deadline is not None and time.monotonic() > deadline:
                    timed_out = True
                    self.end()
                    break
                if selector.get_map() and selector.select(PAUSE):
                    data = pipe.read(1 << 16)
                    if data == b"":
                        selector.unregister(pipe)
                    else:
                        on_data(data or b"")
                elif not selector.get_map():
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self.process.wait(PAUSE)
                on_pause()
        self.end()
        while data := pipe.read(1 << 16):
            on_data(data)
        pipe.close()
        return Ended(self.process.wait(), timed_out)

    def end(self) -> None:
        """End the child and everything it started: asked first, killed after a grace time."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            alive = self._alive()
            if not alive:
                break
            for process in alive:
                try:
                    os.kill(process, number)
                except (ProcessLookupError, PermissionError):
                    continue
            limit = time.monotonic() + GRACE
            while time.monotonic() < limit and self._alive():
                time.sleep(0.02)
        self.process.poll()

    def _alive(self) -> list[int]:
        """The child, if it runs, and every process of its group or with its mark."""
        self.process.poll()
        found = set(_marked(self.mark, self.process.pid))
        if self.process.returncode is None:
            found.add(self.process.pid)
        return sorted(found)


def _marked(mark: str, group: int) -> Iterator[int]:
    """Yield the processes (zombies left out) whose group or environment says that they belong to the run."""
    wanted = f"{MARK}={mark}".encode()
    if not Path("/proc/self/environ").exists():
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return
        yield group
        return
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            status = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()
            if status[0] == b"Z":
                continue
            if int(status[2]) == group or wanted in Path("/proc", name, "environ").read_bytes().split(b"\0"):
                yield int(name)
        except OSError:
            continue


def described(code: int) -> str:
    """Return what a negative exit code says: the name of the signal, and for SIGKILL what it probably means."""
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name == "SIGKILL":
        return "was killed (SIGKILL), probably because memory ran out"
    meaning = {
        "SIGSEGV": "it crashed in native code",
        "SIGABRT": "native code gave up",
        "SIGBUS": "it crashed in native code, perhaps on a full disk",
        "SIGILL": "an instruction that this processor does not have",
        "SIGFPE": "a division by zero in native code",
        "SIGTERM": "it was asked to end",
        "SIGINT": "it was interrupted",
    }.get(name)
    return f"died of {name}" + (f" ({meaning})" if meaning else "")


def environment(extra: dict[str, str], python: str | None = None) -> dict[str, str]:
    """Return the environment of a child: unbuffered UTF-8, quiet TensorFlow, text columns of frames as `object`.

    pandas 3 has a string type of its own; the platform's pandas has not, and components test for `object`.
    """
    defaults = {"TF_CPP_MIN_LOG_LEVEL": "3", "PANDAS_FUTURE_INFER_STRING": "0"}
    fixed = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8:backslashreplace", "PYTHONUTF8": "1"}
    if python is not None:  # commands that the plugin's requirements brought along are found, too
        fixed["PATH"] = os.pathsep.join([str(Path(python).parent), os.environ.get("PATH", os.defpath)])
    return {**defaults, **os.environ, **fixed, **extra}


def command(python: str | None = None) -> list[str]:
    """Return the command that runs the child with a job on its standard input.

    `-P` keeps the folder of child.py off the module path, so that no module of the host hides one of the plugin.
    """
    return [*_child(python), "/dev/stdin", "--quiet-failure"]


def series_command(reports: int, python: str | None = None) -> list[str]:
    """Return the command that runs one job after the other (see `minihost.runs.series`); `reports` is a descriptor that
    it is to write to. The processors that it may use are to follow, with commas; none means all."""
    return [*_child(python), "--series", str(reports)]


def _child(python: str | None) -> list[str]:
    return [python or sys.executable, "-P", "-X", "faulthandler", str(Path(__file__).with_name("child.py"))]
