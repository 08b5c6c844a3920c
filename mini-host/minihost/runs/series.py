"""A process that runs one job after the other: they come on its standard input, outcomes go to a pipe of their own.

Both are lines of JSON. What modules keep from one job to the next stays: an opened model is opened once. The session,
the recipe's own namespace and the working directory are new for every job.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minihost.dataiku_api.small_modules import plain
from minihost.job import Job

READY = {"status": "ready"}
OF_ONE_JOB = ("dataiku.core.flow",)
"""Modules of the host that tell of one job what they were imported for."""


def run_all(perform: Callable[[Job, Path], dict[str, Any]], reports: int) -> int:
    """Run the jobs that come on the standard input, until it ends; `reports` is the descriptor that outcomes go to."""
    given = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.set_inheritable(reports, False)
    with open(given, encoding="utf-8") as jobs, open(reports, "w", encoding="utf-8", buffering=1) as answers:
        answers.write(json.dumps(READY) + "\n")
        for line in jobs:
            outcome = _run(perform, Job.of(json.loads(line)))
            answers.write(json.dumps(outcome, default=plain) + "\n")
    return 0


def _run(perform: Callable[[Job, Path], dict[str, Any]], job: Job) -> dict[str, Any]:
    for name in OF_ONE_JOB:
        sys.modules.pop(name, None)
    os.makedirs(job.work_dir, exist_ok=True)
    os.chdir(job.work_dir)
    return perform(job, Path(job.work_dir).parent)
