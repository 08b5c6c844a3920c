"""`minihost run`: one recipe or macro, in a process of its own."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from minihost.cli.next_steps import next_steps
from minihost.cli.options import (
    find_plugins,
    from_file,
    mistakes_of_workers,
    one_by_one,
    options_again,
    pairs,
    plugin_option,
    plugin_settings,
    project_dir,
    values,
    workers_option,
)
from minihost.plugins import host_section, worker_section

if TYPE_CHECKING:
    from minihost.projects.planning import Plan


@click.command("run")
@click.argument("component")
@click.option("-i", "--input", "inputs", multiple=True, metavar="ROLE=REF", help="What fills an input role.")
@click.option("-o", "--output", "outputs", multiple=True, metavar="ROLE=REF", help="What fills an output role.")
@one_by_one
@from_file
@plugin_settings
@click.option(
    "--partition", default="", metavar="ID", help="The partition to write, where inputs or outputs have them."
)
@plugin_option
@project_dir
@click.option("--overwrite", is_flag=True, help="Let an output replace a table that an earlier run read.")
@click.option("--streams-only", is_flag=True, help="Refuse local paths of folders, as object storage does.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End the run after so long."
)
@workers_option
@click.option(
    "--shards",
    type=int,
    metavar="S",
    help="Into how many shards --workers cuts the folder: 24 for each worker, or fewer of at least 16 files.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress and no log on the terminal: only the answer of a macro.")
def command(
    component: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    params: tuple[str, ...],
    params_file: Path | None,
    settings: tuple[str, ...],
    partition: str,
    plugin_paths: tuple[Path, ...],
    project_dir: Path,
    overwrite: bool,
    streams_only: bool,
    timeout: float | None,
    workers: str | None,
    shards: int | None,
    quiet: bool,
) -> None:
    """Run COMPONENT (`plugin/component`, or `component` where that is unique).

    REF is a path (a folder, or a .csv, .tsv, .parquet or, as an input, .xlsx file), a SQL table (URL::TABLE), a name
    from the project's flow.yaml, or a URL of a storage, such as s3://bucket/photos.
    """
    from minihost.errors import ComponentFailed, JobError
    from minihost.host import hooks
    from minihost.parameters.resolving import Given
    from minihost.projects import project
    from minihost.projects.planning import Request, plan
    from minihost.runs.running import Options

    mistakes = mistakes_of_workers(workers, shards)
    request = Request(
        component=component,
        inputs=pairs("-i", "ROLE=REF", inputs, mistakes),
        outputs=pairs("-o", "ROLE=REF", outputs, mistakes),
        params=Given(values(params_file, mistakes), pairs("-p", "NAME=VALUE", params, mistakes)),
        settings=Given(texts=pairs("--setting", "NAME=VALUE", settings, mistakes)),
        streams_only=streams_only,
        overwrite=overwrite,
        partition=partition,
        mistakes=tuple(mistakes),
    )
    catalogue = find_plugins(plugin_paths, project_dir)
    planned = plan(request, catalogue, project.open(project_dir))
    if lost := [one.role for one in planned.job.outputs if one.path.lower().startswith("memory://")]:
        text = "Output {}: memory:// ends with this command. Name a path or a bucket; memory:// is for tests in Python."
        raise JobError([text.format(role) for role in lost])
    options, around = Options(timeout=timeout, quiet=quiet), contextlib.ExitStack()
    if workers is not None:
        from minihost.workers.requests import shared_run

        shared = around.enter_context(shared_run(planned, catalogue, workers, shards))
        options = replace(options, follow=shared.follow)
    for warning in planned.warnings:
        click.echo(f"warning: {warning}", err=True)
    try:
        with around:
            result = hooks().minihost_run_component(job=planned.job, options=options)
    except ComponentFailed as err:
        if hint := _folder_hint(planned, str(err)):
            err.args = (f"{err}{hint}",)
        raise
    # Other runners answer what they like.
    created, answer = getattr(result, "created", ()), getattr(result, "answer", None)
    if quiet and answer and planned.component.kind == "macro":
        from minihost.runs.results import bare

        if text := bare(answer):
            click.echo(text)
    if not quiet and not worker_section.only_fills_cache(planned.component.descriptor, planned.job.config):
        for line in next_steps(planned, request, options_again(plugin_paths, project_dir), created):
            click.echo(line)


def _folder_hint(planned: Plan, reason: str) -> str:
    """What to add to the command, where a macro says that it lacks its folder, and the empty text elsewhere."""
    keys = host_section.keys_of_macro_roles(planned.component) if planned.component.kind == "macro" else []
    missing = [key for key in keys if f"{key}:" in reason and not planned.job.config.get(key)]
    return f". For example: -p {missing[0]}=models/NAME" if missing else ""
