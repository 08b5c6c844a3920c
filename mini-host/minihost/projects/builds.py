"""The builds of a project as their journals tell, those from the terminal too: what runs now, and how others ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minihost.projects import build_journal
from minihost.runs import detached, job_records, live_folders

STARTING, STOPPING, LOST = "starting", "stopping", "lost"
KILLED = "Its process ended without a word: it was killed, or the machine went off."


@dataclass(frozen=True)
class BuildRecord:
    """One build. `status` is starting, running, stopping, done, failed, stopped, lost, or refused: it did not start.

    `steps` are those that it may run: step, component, state, why, job, and as far as known since, ended,
    reason, warnings.
    """

    folder: Path
    status: str
    command: str
    since: float
    ended: float | None = None
    reason: str = ""
    output: str = ""
    steps: tuple[dict[str, Any], ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.status in (STARTING, build_journal.RUNNING, STOPPING)

    @property
    def counts(self) -> dict[str, int]:
        """How many steps have which state."""
        states = [step["state"] for step in self.steps]
        return {state: states.count(state) for state in dict.fromkeys(states)}

    @property
    def open_steps(self) -> set[str]:
        """The steps that it still runs or means to run, as far as that is known."""
        if not self.alive:
            return set()
        rows = {row["step"] for row in self.steps if row["state"] in (build_journal.WAITING, build_journal.RUNNING)}
        named = self.about.get("steps") if self.status == STARTING else None
        return rows | {name for name in _listed(named) if isinstance(name, str)}


def builds(project_dir: Path) -> list[BuildRecord]:
    """Return the builds of a project, the newest first."""
    return [_read(folder) for folder in live_folders.newest_first(_store(project_dir))]


def live_builds(project_dir: Path) -> list[BuildRecord]:
    """Return the builds that run now."""
    alive = [folder for folder in live_folders.newest_first(_store(project_dir)) if live_folders.is_alive(folder)]
    return [found for found in map(_read, alive) if found.alive]


def running_steps(project_dir: Path) -> dict[str, dict[str, Any]]:
    """Return the steps that run or wait in a build now: state, why, build, job, progress (`part` and `text`)."""
    found: dict[str, dict[str, Any]] = {}
    for build in live_builds(project_dir):
        for row in build.steps:
            if row["state"] in (build_journal.WAITING, build_journal.RUNNING):
                meter = progress_of(project_dir, row)
                facts = {key: row[key] for key in ("state", "why", "job")}
                found[row["step"]] = {**facts, "build": build.id, "progress": meter}
    return found


def progress_of(project_dir: Path, row: dict[str, Any]) -> dict[str, Any] | None:
    """How far a running step of a build says it is, None before it said anything."""
    if row["state"] != build_journal.RUNNING or not live_folders.NAME.fullmatch(row["job"]):
        return None
    meter = job_records.progress_in(project_dir / ".minihost" / "jobs" / row["job"])
    return {"part": meter.part, "text": meter.text()} if meter.value is not None else None


def _store(project_dir: Path) -> Path:
    return project_dir / ".minihost" / detached.BUILDS


def _read(folder: Path) -> BuildRecord:
    started = detached.read(folder)
    facts = job_records.read_object(folder / build_journal.JOURNAL)
    steps = tuple(_row(row) for row in _listed(facts.get("steps")) if isinstance(row, dict))
    status, reason = _status(started, facts)
    if status in (LOST, build_journal.STOPPED):
        for row in steps:
            row["state"] = {build_journal.RUNNING: status, build_journal.WAITING: "skipped"}.get(
                row["state"], row["state"]
            )
    ended = job_records.seconds(facts.get("ended"))
    return BuildRecord(
        folder,
        status,
        str(facts.get("command") or started.command),
        min(job_records.seconds(facts.get("since")) or started.since, started.since),
        ended if ended is not None or started.alive else live_folders.changed_at(folder),
        reason,
        "" if facts.get("steps") else started.output,
        steps,
        started.about,
    )


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _status(started: detached.Detached, facts: dict[str, Any]) -> tuple[str, str]:
    stopped = detached.was_stopped(started.folder)
    if job_records.seconds(facts.get("ended")) is not None:
        return str(facts.get("status")), str(facts.get("reason") or "")
    if started.alive:
        return (STOPPING if stopped else build_journal.RUNNING if facts else STARTING), ""
    if stopped:
        return build_journal.STOPPED, "It was stopped before it could say so."
    return (LOST, KILLED) if facts else (build_journal.REFUSED, "It ended before it began: see its output.")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    texts: dict[str, Any] = {
        key: str(row.get(key) or "") for key in ("step", "component", "state", "why", "job", "reason")
    }
    warnings = row.get("warnings")
    texts |= {"warnings": [str(one) for one in warnings] if isinstance(warnings, list) else []}
    return {**texts, "since": job_records.seconds(row.get("since")), "ended": job_records.seconds(row.get("ended"))}
