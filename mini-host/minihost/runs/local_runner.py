"""The host's own answer to the question who runs a component: a process on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minihost.hookspecs import hookimpl
from minihost.job import Job

if TYPE_CHECKING:
    from minihost.runs.running import Options, Result


@hookimpl(trylast=True)
def minihost_run_component(job: Job, options: Options) -> Result:
    """Run the component in a process of its own on this machine."""
    from minihost.runs import running

    return running.run(job, options)
