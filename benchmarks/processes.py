"""A whole process measured from outside: seconds, processor seconds, peak memory, and what it printed."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any


@dataclass(frozen=True)
class Measured:
    """`memory` is the peak of the largest process in MB; `rate` the pictures per second that it told, 0 when none."""

    seconds: float
    cpu: float
    memory: float
    rate: float


def measure(command: list[str]) -> Measured:
    """Run a command to its end and return its figures; raises RuntimeError with its output when it fails."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert child.stdout is not None
    told = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}:\n{told[-3000:]}")
    rates = re.findall(r"([\d.]+) pictures/s", told)
    rate = float(rates[-1]) if rates else 0.0
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, rate)


def alternate(commands: dict[str, list[str]], rounds: int, tell: Callable[[str], None]) -> dict[str, list[Measured]]:
    """Return the figures of several rounds in which each command runs once, so that all see the same machine."""
    found: dict[str, list[Measured]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            found[name].append(measure(command))
            tell(
                f"  round {number + 1}: {name}: {found[name][-1].seconds:.1f} s, {found[name][-1].rate:.1f} pictures/s"
            )
    return found


def median(values: Iterable[float]) -> float:
    """Return the middle value."""
    return statistics.median(values)


def apart(work: Callable[..., None], *arguments: Any) -> None:
    """Do work in a process of its own: one that once was large makes the memory of those it starts look large."""
    process = get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{work.__name__} ended with {process.exitcode}")
