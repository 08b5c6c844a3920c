"""What a user asks for with `--workers` and `--shards`, or what is wrong with it."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator

from minihost.errors import JobError
from minihost.plugins import Component
from minihost.plugins.discovery import Catalogue
from minihost.plugins.worker_section import PARAMETERS, read, recipe
from minihost.projects.planning import Plan
from minihost.runs.running import Options
from minihost.suggestions import one_of
from minihost.workers.shared_run import SharedRun

MOST_WORKERS, MOST_SHARDS = 1024, 10_000
_ELSEWHERE = re.compile(r"ray(\?\S+)?|[a-z][a-z0-9+.-]*://\S+")


def mistakes(where: str | None, shards: int | None) -> Iterator[str]:
    """Say what is wrong with the two options, whatever the component."""
    if where is None:
        if shards is not None:
            yield f"--shards {shards} goes with --workers: add --workers 2, for example."
        return
    if where.isdecimal() and where.isascii():
        if not 1 <= int(where) <= MOST_WORKERS:
            yield f"--workers {where}: 1 to {MOST_WORKERS} processes are possible. Write --workers 2, for example."
    elif not _ELSEWHERE.fullmatch(where):
        yield (
            f"--workers {where}: a number of processes (--workers 2), ray (--workers ray) or the address of a Ray "
            "cluster (--workers ray://HOST:10001) is expected."
        )
    if shards is not None and not 1 <= shards <= MOST_SHARDS:
        yield (
            f"--shards {shards}: 1 to {MOST_SHARDS} are possible. Leave it out for 24 for each worker, or fewer of at "
            "least 16 files."
        )


def shared_run(planned: Plan, catalogue: Catalogue, where: str, shards: int | None) -> SharedRun:
    """Return how a plan is shared out; raises `JobError` with all that stands against it."""
    component = planned.component
    plugin = catalogue.plugin(component.plugin_id)
    section = read(component)
    if section is None:
        able = [one.full_id for one in catalogue.components if read(one) is not None]
        raise JobError([f"{component.full_id} cannot be shared out: leave out --workers. It is for: {one_of(able)}."])
    merging = recipe(plugin, section.merge)
    found = list(_against(planned, component))
    if section.merge and merging is None:
        found.append(f"{component.full_id}: its parts are joined by {section.merge!r}, which is not there.")
    if section.cache and not where.isdecimal() and all(one.role != section.cache for one in planned.job.outputs):
        found.append(
            f"--workers {where}: the workers put features into {section.cache}, which all machines must see. "
            f"Add -o {section.cache}=s3://BUCKET/cache, for example."
        )
    if found:
        raise JobError(found)
    return SharedRun(component, plugin, section, merging, where, shards)


@contextlib.contextmanager
def shared_step(planned: Plan, options: Options, catalogue: Catalogue, where: str) -> Iterator[Options]:
    """Yield the options with which a step of a flow runs: shared out where it can be, as ever elsewhere."""
    if read(planned.component) is None or any(_against(planned, planned.component)):
        yield options
        return
    with shared_run(planned, catalogue, where, None) as shared:
        yield dataclasses.replace(options, follow=shared.follow)


def _against(planned: Plan, component: Component) -> Iterator[str]:
    section = read(component)
    assert section is not None
    for name in PARAMETERS:
        if planned.job.config.get(name, 1) != 1:
            yield f"-p {name}={planned.job.config[name]}: leave it out, because --workers sets it for each shard."
    if all(reference.role != section.folder for reference in planned.job.inputs):
        yield f"The input role {section.folder!r}, whose files are shared out, is empty: leave out --workers."
    shared = {*section.parts, *(role.name for role in component.outputs if role.is_cache)}
    for reference in planned.job.outputs:
        dimensions = (reference.options.get("partitioning") or {}).get("dimensions") or []
        if any(dimension.get("name") == PARAMETERS[0] for dimension in dimensions):
            yield (
                f"The output role {reference.role!r} is partitioned by {PARAMETERS[0]!r}, which --workers sets itself: "
                "leave out --workers, or name an output without that dimension."
            )
        if not section.cache and reference.role not in shared:
            yield f"The output role {reference.role!r} cannot be shared out: leave it out, or leave out --workers."
