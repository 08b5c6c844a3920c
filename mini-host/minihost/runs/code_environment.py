"""The code environment of a run: its Python, and what is said where there is none that would help."""

from __future__ import annotations

from pathlib import Path

from minihost.job import Job
from minihost.plugins.code_envs import lookup
from minihost.runs.joblog import JobLog
from minihost.runs.progress import Reporter


def python_of(job: Job, log: JobLog, show: Reporter) -> str | None:
    """Return the Python that the component runs with, None for the host's own; a warning is shown and logged."""
    python, warning = lookup.python_for(job.plugin_id, Path(job.plugin_root))
    if warning:
        show.line(log.write(f"warning: {warning}"))
    return python


def hint(reason: str, job: Job, log: JobLog, python: str | None) -> str:
    """Return what follows the reason of a failure: how to get a module that the component lacks, or nothing."""
    found = "" if python else lookup.missing_module_hint(job.plugin_id, Path(job.plugin_root), reason)
    return f". {log.write(found)}" if found else ""
