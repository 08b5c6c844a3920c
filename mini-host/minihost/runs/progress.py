"""What a person sees of a run: a moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minihost.datasets.sql import is_sql, without_secrets

EVERY = 5.0
"""Seconds between two plain lines of progress."""


class Meter:
    """How far a component says it is, out of what it reports."""

    def __init__(self) -> None:
        self.target: float | None = None
        self.unit = ""
        self.value: float | None = None
        self.note = ""

    def learn(self, event: dict[str, Any]) -> None:
        """Take in what was reported."""
        if event.get("target"):
            self.target = float(event["target"][0])
            unit = str(event["target"][1]) if len(event["target"]) > 1 else ""
            self.unit = "" if unit == "NONE" else unit.lower()
        if "progress" in event:
            self.value = float(event["progress"])
        self.note = str(event.get("note", self.note))

    @property
    def part(self) -> float | None:
        """How much is done, from 0 to 1; None where that is not known."""
        if not self.target or self.value is None:
            return None
        return min(1.0, max(0.0, self.value / self.target))

    def text(self) -> str:
        """How far it is, in words; the empty text before anything was said."""
        if self.value is None:
            return ""
        note = f" ({self.note})" if self.note else ""
        if self.target and not self.unit:
            return f"{100 * self.value / self.target:.0f} %{note}"
        of = f" of {_number(self.target)}" if self.target else ""
        return f"{_number(self.value)}{of} {self.unit}".strip() + note


def _number(value: float) -> str:
    """A count in full, another number with as many digits as a person reads."""
    return f"{value:.0f}" if value.is_integer() else f"{value:g}"


class Reporter:
    """Says nothing of a run that goes well; the others say more."""

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_: object) -> None:
        """Take down what was put up."""

    def line(self, line: str) -> None:
        """Show a line of the component's output."""

    def event(self, event: dict[str, Any]) -> None:
        """Show progress."""

    def done(self, result: Any, answer: str) -> None:
        """Show what came of the run."""

    def failed(self, log: Path) -> None:
        """Say where the log of a run that failed is; the reason follows."""
        print(f"log: {shown(str(log))}", file=sys.stderr)


class Silent(Reporter):
    """Says nothing at all: for runs whose log is shown in another way, or goes with the run."""

    def failed(self, log: Path) -> None:
        """Say nothing."""


class Plain(Reporter):
    """Lines as they come, on stderr; progress every few seconds; the outcome on stdout."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.meter = Meter()
        self._last_shown = 0.0

    def line(self, line: str) -> None:
        """Print the line."""
        print(harmless(line), file=sys.stderr, flush=True)

    def event(self, event: dict[str, Any]) -> None:
        """Print progress now and then."""
        self.meter.learn(event)
        if "progress" in event and time.monotonic() - self._last_shown >= EVERY:
            self._last_shown = time.monotonic()
            print(f"{self.name}: {self.meter.text()}", file=sys.stderr, flush=True)

    def done(self, result: Any, answer: str) -> None:
        """Print the macro's answer, and where the outputs lie and what it made itself."""
        if answer:
            print(answer)
        for reference in result.outputs:
            print(f"{reference.role}: {shown(reference.path)}")
        for reference in result.created:
            print(f"{reference.name}: {shown(reference.path)}")
        print(f"done in {result.seconds:.1f} s; log: {shown(str(result.log))}", file=sys.stderr)


class Moving(Plain):
    """A bar that moves, with the lines of the component above it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.bar: Any = None
        self.task: Any = None

    def __enter__(self) -> Moving:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[at]}"),
            TimeElapsedColumn(),
        )
        self.bar = Progress(*columns, console=Console(stderr=True, highlight=False), transient=True)
        self.bar.start()
        self.task = self.bar.add_task(self.name, total=None, at="")
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def line(self, line: str) -> None:
        """Print the line above the bar."""
        self.bar.console.print(harmless(line), markup=False, soft_wrap=True)

    def event(self, event: dict[str, Any]) -> None:
        """Move the bar."""
        self.meter.learn(event)
        if "progress" in event:
            done = self.meter.value
            self.bar.update(self.task, total=self.meter.target, completed=done, at=self.meter.text())


class Served(Plain):
    """For a web app: its link as soon as it is ready, then the lines of its log."""

    def __init__(self, name: str, token: str, *, quiet: bool, open_it: Callable[[str], object] | None = None) -> None:
        super().__init__(name)
        self.token, self.quiet, self.open_it = token, quiet, open_it

    def line(self, line: str) -> None:
        """Print the line, unless silence was asked for."""
        if not self.quiet:
            super().line(line)

    def event(self, event: dict[str, Any]) -> None:
        """Print the link, and open it where that was asked for."""
        if "serving" in event:
            link = f"{event['serving']}?token={self.token}"
            print(f"{self.name} is served at\n\n    {link}\n\nStop it with Ctrl-C.", flush=True)
            if self.open_it is not None:
                self.open_it(link)


def reporter(name: str, *, quiet: bool) -> Reporter:
    """Return what reports a run to a person: nothing, a terminal's progress bar, or plain lines."""
    if quiet:
        return Reporter()
    return Moving(name) if sys.stderr.isatty() else Plain(name)


def harmless(line: str) -> str:
    """A line without control characters: file names from elsewhere may hold codes that a terminal obeys."""
    return "".join(letter if letter.isprintable() or letter == "\t" else "?" for letter in line)


def harmless_facts(facts: Any) -> Any:
    """Facts about a plugin without control characters in any text; lines stay lines."""
    if isinstance(facts, str):
        return "\n".join(map(harmless, facts.splitlines()))
    if isinstance(facts, dict):
        return {harmless(str(key)): harmless_facts(value) for key, value in facts.items()}
    return [harmless_facts(one) for one in facts] if isinstance(facts, list | tuple) else facts


def shown(path: str) -> str:
    """A path as a person would type it: relative to the current folder where that is shorter, without passwords."""
    if is_sql(path):
        return without_secrets(path)
    try:
        relative = str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path
    return relative
