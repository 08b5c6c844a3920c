"""The jobs of a project, out of `.minihost/jobs`: what ran, with which parameters, how it ended, and its log."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minihost.regular_files import open_regular
from minihost.runs import live_folders
from minihost.runs.job_folders import OUTCOME, ended
from minihost.runs.progress import Meter

RUNNING, DONE, FAILED, STOPPED, LOST = "running", "done", "failed", "stopped", "lost"
LARGEST = 8 << 20
"""Bytes of a JSON file of a job that are read; nothing larger was meant to be shown."""

TAIL = 1 << 16


@dataclass(frozen=True)
class JobRecord:
    """One job. `facts` are those of job.json, empty where that cannot be read; `ended` is None while it runs.

    A job that neither runs nor left a result is `lost`: its process was killed, or the machine went off.
    """

    folder: Path
    status: str
    reason: str
    since: float
    ended: float | None
    facts: dict[str, Any] = field(repr=False)

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def kind(self) -> str:
        """recipe, macro or webapp; the empty text where that is not known."""
        return _text(self.facts.get("kind"))

    @property
    def step(self) -> str:
        """The step of the flow that it ran, the empty text where it was run by itself."""
        return _text(self.facts.get("step"))

    @property
    def component(self) -> str:
        """The component's full name, or its own as far as the folder's name has it."""
        plugin, component = _text(self.facts.get("plugin_id")), _text(self.facts.get("component_id"))
        return f"{plugin}/{component}" if plugin and component else self.id[16:-7]

    @property
    def seconds(self) -> float:
        """How long it ran, or has been running."""
        return max(0.0, (time.time() if self.ended is None else self.ended) - self.since)

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters; secrets are `*****`."""
        found = self.facts.get("config")
        return found if isinstance(found, dict) else {}

    def references(self, side: str) -> list[dict[str, str]]:
        """Its inputs or outputs: role, type, name and path of each."""
        found = self.facts.get(side)
        rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        return [{key: _text(row.get(key)) for key in ("role", "type", "name", "path")} for row in rows]

    def answer(self) -> dict[str, Any]:
        """What a macro answered, `{"type": …}` with more; of other jobs, and where there is none, of type NONE."""
        found = read_object(self.folder / "result.json").get("result") if self.kind == "macro" else None
        return found if isinstance(found, dict) and isinstance(found.get("type"), str) else {"type": "NONE"}

    def file(self) -> Path | None:
        """The file that a macro answered with, as far as it is one of those kept of the job."""
        answer = self.answer()
        path = Path(_text(answer.get("path"))) if answer["type"] == "FILE" else None
        if path is None or path.parent.resolve() != self.folder.resolve() or path.is_symlink() or not path.is_file():
            return None
        return path

    def progress(self) -> Meter:
        """How far it said it was."""
        return progress_in(self.folder)


def records(project_dir: Path) -> list[JobRecord]:
    """Return the jobs of a project, the newest first."""
    found = (_read(folder) for folder in live_folders.newest_first(project_dir / ".minihost" / "jobs"))
    return [record for record in found if record.kind != "choices"]


def record(project_dir: Path, name: str) -> JobRecord:
    """Return one job by its id, which may come from anywhere; raises `HostError` for what is none."""
    return _read(live_folders.found(project_dir / ".minihost" / "jobs", name))


def _read(folder: Path) -> JobRecord:
    facts, outcome = read_object(folder / "job.json"), read_object(folder / OUTCOME)
    since = _began(folder)
    if live_folders.is_alive(folder):
        return JobRecord(folder, RUNNING, "", since, None, facts)
    if outcome.get("status") in (DONE, FAILED, STOPPED):
        at = outcome.get("ended")
        end = seconds(at) or ended(folder)
        return JobRecord(folder, outcome["status"], _text(outcome.get("reason")), since, end, facts)
    result = read_object(folder / "result.json")
    if not result or (folder / live_folders.LOCK).exists():  # earlier versions of the host had no lock and no outcome
        reason = "Its process ended without a word: it was killed, or the machine went off."
        return JobRecord(folder, LOST, reason, since, ended(folder), facts)
    status = DONE if result.get("status") == "done" else FAILED
    return JobRecord(folder, status, _text(result.get("reason")), since, ended(folder), facts)


def _began(folder: Path) -> float:
    """When a job began: its lock was made then; earlier versions of the host left the name alone, in whole seconds."""
    with contextlib.suppress(OSError):
        return (folder / live_folders.LOCK).stat().st_mtime
    try:
        return time.mktime(time.strptime(folder.name[:15], "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return ended(folder)


def read_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, an empty one where there is none or the file is too large to be the host's."""
    try:
        if path.is_symlink():
            return {}
        with open_regular(path) as stream:
            text = stream.read(LARGEST + 1)
        found = json.loads(text) if len(text) <= LARGEST else None
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def seconds(found: Any) -> float | None:
    """Return a moment that a file tells, None where it is none that a clock could show."""
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number and 0 <= found < 1e11 else None


def progress_in(folder: Path) -> Meter:
    """Return how far the job in a folder says it is."""
    meter = Meter()
    for event in _events(folder / "events.jsonl"):
        with contextlib.suppress(TypeError, ValueError, LookupError, OverflowError):
            meter.learn(event)
    return meter


def _events(path: Path) -> Iterator[dict[str, Any]]:
    """The first and the last events of a job: the target is among those, the latest progress among these."""
    try:
        with open_regular(path) as stream:
            text = stream.read(TAIL)
            size = stream.seek(0, 2)
            if size > TAIL:
                stream.seek(max(TAIL, size - TAIL))
                text = text[: text.rfind(b"\n") + 1] + stream.read()
    except OSError:
        return
    for line in text.splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""
