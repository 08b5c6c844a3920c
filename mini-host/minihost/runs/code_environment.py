"""The code environment of a run: its Python, and what is said where there is none that would help."""

from __future__ import annotations

import re
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
    root = Path(job.plugin_root)
    found = "" if python else lookup.missing_module_hint(job.plugin_id, root, reason)
    found = found or _undeclared(job.plugin_id, root, reason)
    return f". {log.write(found)}" if found else ""


def _undeclared(plugin_id: str, root: Path, reason: str) -> str:
    """What to do where a component imports a package that its plugin asks for nowhere; empty for other failures."""
    missing = re.match(r"ModuleNotFoundError: No module named '([^'.]+)", reason)
    if missing is None or any((root / "python-lib" / name).exists() for name in (missing[1], f"{missing[1]}.py")):
        return ""
    wanted = f"If {missing[1]} is a package, list what installs it in code-env/python/spec/requirements.txt"
    return f"{wanted}, and run: {lookup.command_for(plugin_id, root)}"
