"""What is kept of each build while it runs and afterwards: `.minihost/builds/<id>/build.json`."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from minihost.errors import HostError, Interrupted
from minihost.projects.flow import Step
from minihost.runs import detached, live_folders

JOURNAL = "build.json"
WAITING, RUNNING, DONE, FAILED, SKIPPED, STOPPED = "waiting", "running", "done", "failed", "skipped", "stopped"
REFUSED = "refused"
LONGEST = 4000
"""Characters that are kept of a reason."""


class BuildJournal:
    """Is told how a build goes on, and keeps nothing of it."""

    def begin(self, targets: list[str], steps: Iterable[Step], *, force: bool) -> None:
        """Begin with the steps that the build may run, in order."""

    def started(self, name: str, why: str) -> None:
        """A step is run, and why."""

    def in_folder(self, folder: Path) -> None:
        """The step that was started keeps its log in the folder of a job."""

    def warned(self, text: str) -> None:
        """There is a warning about the step that was started."""

    def done(self, name: str) -> None:
        """A step has been run."""

    def skipped(self, name: str, why: str) -> None:
        """A step need not be run."""


class KeptJournal(BuildJournal):
    """Writes each change to a file, whole; alive as long as this process holds the lock of its folder.

    `command` is what a person would type. A context manager: its end says how the build ended. On a full disk the build
    goes on without it.
    """

    def __init__(self, project_dir: Path, command: str) -> None:
        self.project_dir, self.command = project_dir, command
        self.folder = detached.settled()
        self.lock = -1
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> KeptJournal:
        return self

    def begin(self, targets: list[str], steps: Iterable[Step], *, force: bool) -> None:
        """Make the folder, unless whoever started this build made it."""
        with contextlib.suppress(OSError):
            if self.folder is None:
                store = live_folders.own_folder(self.project_dir) / detached.BUILDS
                self.folder, self.lock = live_folders.begun(store)
                detached.note_process(self.folder, os.getpid())
                live_folders.keep_newest(store, detached.KEPT)
        rows = [{"step": step.name, "component": step.component, "makes": [*step.makes]} for step in steps]
        self._begin(targets, force, [{**row, "state": WAITING, "why": "", "job": ""} for row in rows])

    def started(self, name: str, why: str) -> None:
        """Note why a step is run, and since when."""
        self._change(name, state=RUNNING, why=why, since=time.time())

    def in_folder(self, folder: Path) -> None:
        """Note the job of the step that is running."""
        for row in self._running():
            self._change(row["step"], job=folder.name)

    def warned(self, text: str) -> None:
        """Note a warning about the step that is running."""
        for row in self._running():
            self._change(row["step"], warnings=[*row.get("warnings", []), text])

    def done(self, name: str) -> None:
        """Note that a step has been run."""
        self._change(name, state=DONE, ended=time.time())

    def skipped(self, name: str, why: str) -> None:
        """Note that a step need not be run."""
        self._change(name, state=SKIPPED, why=why)

    def __exit__(self, _kind: type | None, err: BaseException | None, _trace: object) -> None:
        if not self.facts and self.folder is not None:
            self._begin([], False, [])
            status = REFUSED if isinstance(err, HostError) and not isinstance(err, Interrupted) else _status(err)
        else:
            status = _status(err)
        reason = _reason(err)
        for row in self._running():
            row |= {"state": status, "reason": reason.removeprefix(f"step {row['step']}: "), "ended": time.time()}
        for row in self.facts.get("steps", []):
            if row["state"] == WAITING:
                row |= {"state": SKIPPED, "why": "not run"}
        self._write(status=status, reason=reason, ended=time.time())
        if self.lock >= 0:
            os.close(self.lock)

    def _begin(self, targets: list[str], force: bool, steps: list[dict[str, Any]]) -> None:
        self.facts = {"command": self.command, "targets": targets, "force": force, "since": time.time()}
        self.facts |= {"status": RUNNING, "steps": steps}
        self._write()

    def _running(self) -> list[dict[str, Any]]:
        return [row for row in self.facts.get("steps", []) if row["state"] == RUNNING]

    def _change(self, name: str, **facts: Any) -> None:
        for row in self.facts.get("steps", []):
            if row["step"] == name:
                row |= facts
        self._write()

    def _write(self, **facts: Any) -> None:
        self.facts |= facts if self.facts else {}
        if self.folder is not None and self.facts:
            with contextlib.suppress(OSError):
                live_folders.note(self.folder / JOURNAL, json.dumps(self.facts, indent=1))


def _status(err: BaseException | None) -> str:
    """How a build ended, by what it raised."""
    if err is None:
        return DONE
    return STOPPED if isinstance(err, Interrupted | KeyboardInterrupt) else FAILED


def _reason(err: BaseException | None) -> str:
    if err is None:
        return ""
    text = "Interrupted." if isinstance(err, KeyboardInterrupt) else str(err) or type(err).__name__
    return text if len(text) <= LONGEST else text[:LONGEST] + " […]"
