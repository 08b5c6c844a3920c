"""The host's own answers to its storage and running hooks: this machine's disk, a process here; imported when asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from minihost.hookspecs import hookimpl
from minihost.job import Job, Reference

if TYPE_CHECKING:
    from minihost.running import Options, Result


@hookimpl(trylast=True)
def minihost_run_component(job: Job, options: Options) -> Result:
    """Run the component in a process of its own on this machine."""
    from minihost import running

    return running.run(job, options)


@hookimpl(trylast=True)
def minihost_open_folder(reference: Reference) -> Any:
    """Open a folder of the local disk; a URL is somebody else's."""
    from minihost.folders import LocalFolder, is_remote

    return None if is_remote(reference.path) else LocalFolder(Path(reference.path))


@hookimpl(trylast=True)
def minihost_open_dataset(reference: Reference) -> Any:
    """Open a CSV or Parquet file of the local disk; a URL is somebody else's."""
    from minihost.datasets import table
    from minihost.folders import is_remote

    if is_remote(reference.path):
        return None
    return table(Path(reference.path), reference.options, reference.partitions)
