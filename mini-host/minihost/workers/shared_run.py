"""One run of a recipe by several workers: the folder is listed, shards are placed, their parts become the outputs."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path

from minihost.errors import HostError, Interrupted, counted
from minihost.folders import listing
from minihost.host import hooks
from minihost.interrupts import interruptible
from minihost.job import Job, Reference
from minihost.plugins import Component, Plugin
from minihost.plugins.worker_section import WorkerSection
from minihost.runs import processes, remote_data, running
from minihost.runs.joblog import JobLog
from minihost.runs.progress import Reporter
from minihost.workers import counting
from minihost.workers.fingerprint import fingerprint
from minihost.workers.parts import Parts
from minihost.workers.run_reports import RunReports
from minihost.workers.shards import Work
from minihost.workers.shared_jobs import SharedJobs


@dataclasses.dataclass
class SharedRun:
    """How one component is to be shared out: `where` as `--workers` has it, `shards` as the user chose, if at all.

    `merging` is the recipe that joins the parts, None where the shards fill a cache. `follow` is for
    `minihost.runs.running.Options`; a `with` block around the run deletes the parts at its end, and leaves them to
    another run where this one failed.
    """

    component: Component
    plugin: Plugin
    section: WorkerSection
    merging: Component | None
    where: str
    shards: int | None = None
    parts: Parts | None = None

    def follow(self, job: Job, options: running.Options, folder: Path, log: JobLog, show: Reporter) -> processes.Ended:
        """Do the work of a job with workers, and answer as `running.follow` does."""
        deadline = None if options.timeout is None else time.monotonic() + options.timeout
        shared = next(reference for reference in job.inputs if reference.role == self.section.folder)
        try:
            with interruptible():
                rows = listing.listed(shared)
                if not rows:
                    return running.follow(job, options, folder, log, show)
                jobs = self._jobs(job, folder, rows, options)
                rows = _in_partitions(rows, shared)
                work, reports = self._placed(jobs, rows, folder, deadline, options, log, show)
        except (KeyboardInterrupt, Interrupted):
            log.write("Interrupted.")
            raise Interrupted(running.INTERRUPTED) from None
        if work.timed_out or work.outcome is not None:
            return _failed(work, folder)
        ended = self._whole(jobs, work, deadline, options, folder, log, show)
        joining = 0.0 if self.merging is None else time.monotonic() - reports.last
        for line in reports.summary(joining) if ended.code == 0 else ():
            show.line(log.write(line))
        return ended

    def __enter__(self) -> SharedRun:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if self.parts is not None:
            self.parts.clear() if kind is None else self.parts.free()

    @property
    def workers(self) -> int | None:
        """How many workers there are to be, None where only the place knows."""
        return int(self.where) if self.where.isdecimal() else None

    def _whole(
        self,
        jobs: SharedJobs,
        work: Work,
        deadline: float | None,
        options: running.Options,
        folder: Path,
        log: JobLog,
        show: Reporter,
    ) -> processes.Ended:
        """Make the outputs of what the shards left, unless a worker has done that."""
        if work.is_joined:
            (folder / running.RESULT).write_text(json.dumps({"status": "done"}), encoding="utf-8")
            return processes.Ended(0)
        left = None if deadline is None else max(0.1, deadline - time.monotonic())
        options = dataclasses.replace(options, timeout=left)
        if self.merging is None:
            return running.follow(jobs.whole(), options, folder, log, show)
        return running.follow(jobs.merging(self.merging, self.plugin), options, folder, log, LinesOf(show))

    def _jobs(self, job: Job, folder: Path, rows: list[listing.Row], options: running.Options) -> SharedJobs:
        """Open the parts, and return what makes the jobs."""
        found = fingerprint(job, self.component, self.plugin, self.section, rows, options.python)
        count = self.shards or counting.shards_for(len(rows), self.workers)
        self.parts = Parts.open(Path(job.project_dir), found, count, fixed=self.shards is not None)
        list_file = self.parts.folder / "listing"
        try:
            listing.write(list_file, [row[0] for row in rows])
        except OSError as err:
            raise HostError(f"{list_file} cannot be written: {err.strerror}. Choose another --project.") from err
        given = remote_data.for_child(job, folder, options.python)
        return SharedJobs(self.component, self.section, given, self.parts, list_file)

    def _placed(
        self,
        jobs: SharedJobs,
        rows: list[listing.Row],
        folder: Path,
        deadline: float | None,
        options: running.Options,
        log: JobLog,
        show: Reporter,
    ) -> tuple[Work, RunReports]:
        """Run the shards that are left where the user wishes, and return what came of them."""
        parts, merging = jobs.parts, self.merging
        slices = counting.sliced(rows, parts.shards)
        kept = set(parts.kept())
        left = [jobs.shard(number, ones) for number, ones in enumerate(slices, 1) if number not in kept]
        text = f"{counted(len(rows), 'file')} in {counted(parts.shards, 'shard')}"
        text += f", {len(kept)} of them done by a run that ended early" if kept else ""
        show.line(log.write(text))
        workers = min(self.workers or 1, len(left))
        if workers > (cpus := _processors()):
            show.line(log.write(f"warning: {counted(workers, 'worker')} for {counted(cpus, 'processor')}"))
        done = sum(len(slices[number - 1]) for number in kept)
        reports = RunReports(log, show, folder / running.EVENTS, files=len(rows), done=done)
        work = Work(
            sorted(left, key=lambda shard: -shard.files),
            listing=parts.folder / "listing",
            environment=jobs.job.environment,
            python=options.python,
            deadline=deadline,
            keep=jobs.keep,
            join=None if merging is None else lambda: jobs.joining(merging, self.plugin),
            report=reports,
        )
        try:
            answer = hooks().minihost_place_shards(work=work, where=self.where) if left else True
        finally:
            if not work.complete and (whole := len(parts.kept())):
                text = f"{counted(whole, 'shard')} of {parts.shards} done: the same command goes on from there"
                show.line(log.write(text))
        if answer is None:
            raise HostError(
                f"--workers {self.where}: no such place. Write a number for processes of this machine, such as "
                "--workers 4, or ray, or ray://HOST:PORT."
            )
        return work, reports


class LinesOf(Reporter):
    """Shows the lines of the job that joins the parts; how far it is, would look as if all began again."""

    def __init__(self, show: Reporter) -> None:
        self.show = show

    def line(self, line: str) -> None:
        """Show the line."""
        self.show.line(line)


def _failed(work: Work, folder: Path) -> processes.Ended:
    """Leave the outcome of the shard that ended the run as that of the run."""
    if work.outcome is not None:
        (folder / running.RESULT).write_text(json.dumps(work.outcome), encoding="utf-8")
    return processes.Ended(1, work.timed_out)


def _in_partitions(rows: list[listing.Row], folder: Reference) -> list[listing.Row]:
    """The files that a component sees of a folder that may be partitioned."""
    if not folder.options.get("partitioning") or not folder.partitions:
        return rows
    inside = tuple(f"/{partition}/" for partition in folder.partitions)
    return [row for row in rows if row[0].startswith(inside)]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
