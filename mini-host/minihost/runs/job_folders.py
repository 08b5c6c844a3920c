"""The folders that are kept of jobs, `.minihost/jobs/<time>-<component>`: made, described, and the oldest deleted."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.job import Job

A_DAY = 24 * 3600


def job_folder(job: Job) -> Path:
    """Make the folder of a new job, `.minihost/jobs/<time>-<component>`, with the working directory in it."""
    jobs = Path(job.project_dir, ".minihost", "jobs")
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = jobs / f"{stamp}-{job.component_id[:80]}-{os.urandom(3).hex()}"
    try:
        (folder / "work").mkdir(parents=True)
        (jobs.parent / "home").mkdir(exist_ok=True)
        ignore = jobs.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
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


def keep_newest(jobs: Path, count: int) -> None:
    """Delete the folders of the jobs that ended first, beyond a count, but of none that may still run."""
    folders = sorted((_ended(Path(entry.path)), entry.path) for entry in os.scandir(jobs) if entry.is_dir())
    for ended, path in folders[: max(0, len(folders) - count)]:
        if Path(path, "result.json").exists() or time.time() - ended > A_DAY:
            shutil.rmtree(path, ignore_errors=True)


def _ended(folder: Path) -> float:
    """When a job ended, or where that is not known, when its folder last changed; in seconds since 1970."""
    for path in (folder / "result.json", folder):
        with contextlib.suppress(OSError):
            return path.stat().st_mtime
    return 0.0
