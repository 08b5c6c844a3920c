"""Runs one component: outputs are locked and staged, a child does the work, what it made takes its place at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minihost.datasets.sql import is_sql, located
from minihost.disk_space import is_full
from minihost.errors import ComponentFailed, HostError, Interrupted, JobError
from minihost.folders.paths import OWN
from minihost.interrupts import interruptible
from minihost.job import Job, Reference
from minihost.outputs import commits, stages, staging, tables
from minihost.plugins import worker_section
from minihost.runs import code_environment, processes, remote_data
from minihost.runs.events import Events
from minihost.runs.job_folders import job_folder, keep_facts, keep_newest, outcome_kept
from minihost.runs.joblog import JobLog, Lines, Redaction, is_library_noise
from minihost.runs.progress import Reporter, reporter
from minihost.runs.results import as_text

RESULT, EVENTS = "result.json", "events.jsonl"
KEPT_JOBS = 50
INTERRUPTED = "Interrupted. Outputs are as they were before."


def _nobody(_folder: Path) -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Options:
    """How to run: a deadline in seconds, silence, another Python, or (for tests) no process of its own."""

    timeout: float | None = None
    quiet: bool = False
    python: str | None = None
    in_process: bool = False
    reporter: Reporter | None = None
    """Reports the run to a person, instead of the usual lines."""
    started: Callable[[Path], None] = _nobody
    """Is told the job's folder as soon as it is there."""
    follow: Callable[[Job, Options, Path, JobLog, Reporter], processes.Ended] | None = None
    """Does the work in another way than by one child process, and answers as if it had been one (see `follow`)."""


@dataclass(frozen=True)
class Result:
    """What a run left: its folder with the log, the answer of a macro as facts, the outputs, the seconds it took."""

    folder: Path
    answer: dict[str, Any] | None = None
    outputs: tuple[Reference, ...] = ()
    created: tuple[Reference, ...] = ()
    """Folders and datasets of the project that the component made itself, as macros do."""
    seconds: float = 0.0

    @property
    def log(self) -> Path:
        """The job's log."""
        return self.folder / "log"


def run(job: Job, options: Options | None = None) -> Result:
    """Run a job to its end and return its result.

    Raises `JobError` or `HostError` (code 2) when it cannot start, `ComponentFailed` (1) with the reason in its last
    line, `Interrupted` (130). Outputs are complete or as they were.
    """
    options = options or Options()
    started = time.monotonic()
    job = dataclasses.replace(job, outputs=[dataclasses.replace(one) for one in job.outputs])
    folder = job_folder(job)
    redact = Redaction([*job.secrets, *remote_data.secrets(job)])
    show = options.reporter or reporter(f"{job.plugin_id}/{job.component_id}", quiet=options.quiet)
    with outcome_kept(folder, redact), stages.holding([]) as held:
        _stage(job, held, folder)
        keep_facts(folder, redact.of(dataclasses.asdict(job)))
        options.started(folder)
        redact.settled = functools.partial(_settled, held, folder)
        with contextlib.closing(JobLog(folder, redact)) as log:
            try:
                with show:
                    if options.python is None and not options.in_process:
                        options = dataclasses.replace(options, python=code_environment.python_of(job, log, show))
                    ended = (options.follow or follow)(job, options, folder, log, show)
                answer = _judged(ended, job, folder, log, options)
                held += _begun_by_child(folder)
                written = _written(job, held, log)
            except HostError as err:
                held += _begun_by_child(folder)
                show.failed(log.path)
                err.log = log.path
                raise
        held[:] = [_locked(stage, job, folder) for stage in held]
        commits.commit(held)
    shutil.rmtree(job.work_dir, ignore_errors=True)
    keep_newest(folder.parent, KEPT_JOBS)
    result = Result(folder, answer, written, _created(job, folder), time.monotonic() - started)
    show.done(result, as_text(answer) if job.kind == "macro" else "")
    return result


def _stage(job: Job, held: list[stages.Stage], folder: Path) -> None:
    """Lock and prepare every output before anything is computed; raises `JobError` with all that is wrong."""
    mistakes = remote_data.missing(job)
    facts = {
        "component": f"{job.plugin_id}/{job.component_id}",
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        "log": str(folder / "log"),
    }
    seen: dict[str, str] = {}
    for reference in job.outputs:
        what = f"Output {reference.role} ({reference.name})"
        place = located(reference.path).place if is_sql(reference.path) else reference.path.rstrip("/")
        if place in seen:
            mistakes.append(f"{what} and output {seen[place]} are the same place: {place}.")
            continue
        seen[place] = reference.role
        try:
            base = tables.target(reference) or remote_data.output(reference)
            stage = _staged(reference, facts, what, base, folder)
        except HostError as err:
            mistakes.append(str(err) if what in str(err) else f"{what}: {err}")
            continue
        held.append(stage)
        if not reference.options.get("in_place"):
            reference.stage = str(stage.place)
        if base is None:
            reference.path = str(stage.target)
    if mistakes:
        shutil.rmtree(folder, ignore_errors=True)
        raise JobError(mistakes)


def _staged(reference: Reference, facts: dict[str, Any], what: str, base: Any, folder: Path) -> stages.Stage:
    if base is not None:
        return staging.begin_remote(reference, folder / "stages" / reference.name, base)
    stage = staging.begin(Path(reference.path), stages.kind_of(reference), facts, what=what)
    if reference.options.get("in_place"):
        stage.target.mkdir(parents=True, exist_ok=True)
    return stage


def follow(job: Job, options: Options, folder: Path, log: JobLog, show: Reporter) -> processes.Ended:
    """Start the child and hand on its output and progress until it ends; an interrupt ends it and is raised on.

    What came of the component is in `result.json` of the folder then.
    """
    if options.in_process:
        from minihost.runs import inprocess

        return inprocess.follow(job, folder, log)
    given = json.dumps(dataclasses.asdict(remote_data.for_child(job, folder, options.python))).encode()
    lines, events = Lines(), Events(folder / EVENTS)
    events.skip()

    def log_lines(written: list[str]) -> None:
        for line in written:
            kept = log.write(line)
            if not is_library_noise(line):
                show.line(kept)

    def show_events() -> None:
        for event in events.new():
            show.event(event)

    with interruptible():
        command, environment = processes.command(options.python), processes.environment(job.environment, options.python)
        child = processes.Child(command, environment, Path(job.work_dir), given)
        try:
            return child.follow(lambda data: log_lines(lines.of(data)), show_events, options.timeout)
        except (KeyboardInterrupt, Interrupted):
            child.end()
            log.write("Interrupted.")
            raise Interrupted(INTERRUPTED) from None
        finally:
            log_lines(lines.rest())


def _judged(ended: processes.Ended, job: Job, folder: Path, log: JobLog, options: Options) -> Any:
    """Return the component's answer, or raise what its end means: each of five ways to fail has its own message."""
    outcome: dict[str, Any] = {}
    if (folder / RESULT).exists():
        outcome = log.redact.of(json.loads((folder / RESULT).read_text(encoding="utf-8")))
        (folder / RESULT).write_text(json.dumps(outcome), encoding="utf-8")
    if ended.timed_out:
        raise ComponentFailed(log.write(f"Stopped: it did not finish within {options.timeout:g} seconds, its timeout."))
    if outcome.get("status") == "refused":
        raise HostError(outcome["reason"])
    if outcome.get("status") == "failed":
        if outcome.get("for_user"):
            log.write(outcome["reason"])
        raise ComponentFailed(outcome["reason"] + code_environment.hint(outcome["reason"], job, log, options.python))
    if ended.code < 0:
        raise ComponentFailed(log.write(f"The component {processes.described(ended.code)}."))
    if not outcome and is_full(folder):
        raise ComponentFailed(f"The result of the job cannot be kept in {folder}: the disk is full. Free some space.")
    if not outcome:
        raise ComponentFailed(log.write(f"The component exited early with code {ended.code} (os._exit or similar)."))
    if ended.code != 0:
        raise ComponentFailed(log.write(f"The component finished, but its process exited with code {ended.code}."))
    return outcome.get("result")


def _settled(held: list[stages.Stage], folder: Path, text: str) -> str:
    """Return a text of the component with the paths that its outputs have after the run."""
    if OWN not in text:
        return text
    for stage in [*held, *_begun_by_child(folder)]:
        text = stage.settled(text)
    return text


def _begun_by_child(folder: Path) -> list[stages.Stage]:
    """The stages of outputs that the child began itself: folders that a macro wrote to."""
    found = []
    for event in Events(folder / EVENTS).new():
        if "begun" in event:
            reference = remote_data.original(event["begun"])
            base = tables.target(reference) or remote_data.output(reference)
            target = Path(reference.path) if base is not None else Path(os.path.realpath(reference.path))
            found.append(stages.Stage(target, stages.kind_of(reference), Path(event["place"]), None, base))
    return found


def _created(job: Job, folder: Path) -> tuple[Reference, ...]:
    """What the component wrote to that was not there, and not named, before it ran."""
    begun = [Reference(**event["begun"]) for event in Events(folder / EVENTS).new() if "begun" in event]
    return tuple(one for one in begun if one.path not in {other.path for other in job.others})


def _locked(stage: stages.Stage, job: Job, folder: Path) -> stages.Stage:
    """Take over the lock of a stage that the child began; its own went with its process."""
    if stage.lock is None and stage.base is None:
        facts = {
            "component": f"{job.plugin_id}/{job.component_id}",
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
            "log": str(folder / "log"),
        }
        stage.lock = stages.Lock(stages.lock_of(stage.target), str(stage.target), facts).take()
    return stage


def _written(job: Job, held: list[stages.Stage], log: JobLog) -> tuple[Reference, ...]:
    """Return the outputs that the run leaves; drop the stages of those that were not written.

    Raises `ComponentFailed` when a required output was not written, unless the run was one shard that fills a cache.
    """
    by_place = {str(stage.place): stage for stage in held}
    missing: list[Reference] = []
    for reference in job.outputs:
        stage = by_place.get(reference.stage)
        if stage is None or stage.written():
            continue
        if reference.required and (reference.type == "DATASET" or not _has_files(stage)):
            missing.append(reference)
    if missing and not worker_section.only_fills_cache(job.descriptor, job.config):
        names = ", ".join(f"{one.role} ({one.name})" for one in missing)
        raise ComponentFailed(log.write(f"The component finished without writing its output {names}."))
    for stage in list(held):
        if not stage.written():
            held.remove(stage)
            stage.discard()
    return tuple(one for one in job.outputs if one not in missing)


def _has_files(stage: stages.Stage) -> bool:
    return bool(stage.folder.base.paths()) if stage.base is not None or stage.target.is_dir() else False
