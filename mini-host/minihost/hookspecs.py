"""The host's table of contents: every place where a host plugin may add to it or answer in its stead.

A hook returns values; it never gets a `register` function to call. The host's own features implement these hooks like
anyone's (see `minihost.host.BUILT_IN`); others register through the entry-point group `minihost`. `docs/hooks.md` has
one heading for each.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click

    from minihost.job import Job, Reference
    from minihost.plugins import Component, Plugin, Search

hookspec = pluggy.HookspecMarker("minihost")
hookimpl = pluggy.HookimplMarker("minihost")


@hookspec
def minihost_find_plugins(search: Search) -> list[Path]:  # type: ignore[empty-body]
    """Say where plugins lie: folders that hold a `plugin.json`, or zips of such a folder, the most wanted first."""


@hookspec
def minihost_find_components(plugin: Plugin) -> list[Component]:  # type: ignore[empty-body]
    """Say which recipes, macros and web apps a plugin has."""


@hookspec
def minihost_check_job(job: Job, component: Component) -> list[str]:  # type: ignore[empty-body]
    """Say what is wrong with a job before anything starts: one sentence for each mistake, an empty list for none."""


@hookspec(firstresult=True)
def minihost_open_folder(reference: Reference) -> Any:
    """Open the folder that a reference points at, or answer None for one that another plugin opens."""


@hookspec(firstresult=True)
def minihost_open_dataset(reference: Reference) -> Any:
    """Open the dataset that a reference points at, or answer None for one that another plugin opens."""


@hookspec(firstresult=True)
def minihost_run_component(job: Job, options: Any) -> Any:
    """Run one component to its end and answer its result, or answer None to leave it to another runner."""


@hookspec(firstresult=True)
def minihost_place_shards(work: Any, where: str) -> Any:
    """Run every shard of `work` (a `minihost.workers.shards.Work`) in the place that `--workers` names, and answer
    True; or answer None for a place that another plugin knows."""


@hookspec
def minihost_commands() -> dict[str, str | click.Command]:  # type: ignore[empty-body]
    """Say which commands to add: name -> a click command, or `module:attribute` of one, imported when it is used."""
