"""The folders that are kept of jobs, `.minihost/jobs/<time>-<component>`: made, described, and the oldest deleted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from minihost.errors import HostError, Interrupted
from minihost.job import Job
from minihost.runs import live_folders

OUTCOME = "outcome.json"
A_DAY = 24 * 3600


def job_folder(job: Job) -> Path:
    """Make the folder of a new job, `.minihost/jobs/<time>-<component>`, with the working directory in it."""
    jobs = Path(job.project_dir, ".minihost", "jobs")
    folder = jobs / live_folders.named(job.component_id[:80])
    try:
        own = live_folders.own_folder(Path(job.project_dir))
        (folder / "work").mkdir(parents=True)
        (own / "home").mkdir(exist_ok=True)
    except OSError as err:
        raise HostError(
            f"The log of the job cannot be kept in {jobs}: {err.strerror}. Choose another --project."
        ) from err
    job.work_dir = str(folder / "work")
    return folder


def keep_facts(folder: Path, facts: Any) -> None:
    """Write what the job was given to its folder; raises `HostError`, without the folder, where it cannot."""
    try:
        (folder / "job.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")
    except OSError as err:
        shutil.rmtree(folder, ignore_errors=True)
        raise HostError(
            f"The log of the job cannot be kept in {folder.parent}: {err.strerror}. Choose another --project."
        ) from err


@contextlib.contextmanager
def outcome_kept(folder: Path, redact: Callable[[str], str]) -> Iterator[None]:
    """Keep the folder of a job alive for the block, and write how it ended: done, failed or stopped, and why."""
    lock, outcome = -1, {"status": "done", "reason": ""}
    with contextlib.suppress(OSError):
        lock = live_folders.held(folder)
    try:
        yield
    except BaseException as err:
        stopped = isinstance(err, Interrupted | KeyboardInterrupt)
        outcome = {"status": "stopped" if stopped else "failed", "reason": redact(str(err))}
        raise
    finally:
        if folder.is_dir():
            with contextlib.suppress(OSError):
                live_folders.note(folder / OUTCOME, json.dumps({**outcome, "ended": time.time()}))
        if lock >= 0:
            os.close(lock)


def keep_newest(jobs: Path, count: int) -> None:
    """Delete the folders of the jobs that ended first, beyond a count, but of none that may still run."""
    folders = sorted((ended(Path(entry.path)), entry.path) for entry in os.scandir(jobs) if entry.is_dir())
    for since, path in folders[: max(0, len(folders) - count)]:
        is_over = Path(path, "result.json").exists() or time.time() - since > A_DAY
        if is_over and not live_folders.is_alive(Path(path)):
            shutil.rmtree(path, ignore_errors=True)


def ended(folder: Path) -> float:
    """When a job ended, or where that is not known, when its folder last changed; in seconds since 1970."""
    for path in (folder / OUTCOME, folder / "result.json", folder):
        with contextlib.suppress(OSError):
            return path.stat().st_mtime
    return 0.0
