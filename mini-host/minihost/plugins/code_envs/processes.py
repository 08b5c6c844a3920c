"""Runs commands that must not last for ever: line by line, within a time, and ended with all that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable

PATIENCE = 5.0
"""Seconds that a command has to tidy up once it is told to end."""


class TooLong(Exception):
    """A command that did not end in its time; it has been ended."""


def run(
    command: list[str], report: Callable[[str], None], limit: float, environment: dict[str, str] | None = None
) -> tuple[int, list[str]]:
    """Run a command, hand on its lines, and return its exit code and all lines; raises `TooLong` after `limit` seconds.

    It has no terminal, so nothing that it starts can wait for an answer, and a group of its own, which Ctrl-C ends.
    """
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(command, text=True, errors="replace", env=environment, start_new_session=True, **streams)  # type: ignore[call-overload]
    late = threading.Event()

    def stop() -> None:
        late.set()
        _end(process)

    timer = threading.Timer(limit, stop)
    timer.daemon = True
    timer.start()
    lines: list[str] = []
    try:
        with process.stdout:
            for line in process.stdout:
                lines.append(line.rstrip())
                report(lines[-1])
        code = process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TooLong
    return code, lines


def _end(process: subprocess.Popen[str]) -> None:
    """End a command and all processes of its group: as Ctrl-C would, then by force."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
