"""`minihost build`: run what is missing or stale of a flow, in order."""

from __future__ import annotations

import functools
import shlex
from pathlib import Path

import click

from minihost.cli.options import mistakes_of_workers, options_again, plugin_option, project_dir, workers_option

flow_file = click.option(
    "-f",
    "--file",
    "flow_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FLOW.yaml",
    help="The flow, when it is not flow.yaml in the project.",
)


@click.command("build")
@click.argument("targets", nargs=-1, metavar="[TARGET]…")
@flow_file
@plugin_option
@project_dir
@click.option(
    "--force", is_flag=True, help="Run the targets (every step when none is named) though they are up to date."
)
@click.option("--streams-only", is_flag=True, help="Refuse local paths of folders, as object storage does.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="End a step after so long."
)
@workers_option
@click.option("-q", "--quiet", is_flag=True, help="No progress and no logs on the terminal.")
def command(
    targets: tuple[str, ...],
    flow_file: Path | None,
    plugin_paths: tuple[Path, ...],
    project_dir: Path,
    force: bool,
    streams_only: bool,
    timeout: float | None,
    workers: str | None,
    quiet: bool,
) -> None:
    """Build TARGETs: names of steps, or of datasets and folders that steps make. Everything when none is named."""
    from minihost.errors import JobError
    from minihost.plugins import Search, discovery
    from minihost.projects import project
    from minihost.projects.build_journal import KeptJournal
    from minihost.projects.building import Build
    from minihost.runs.running import Options

    if mistakes := mistakes_of_workers(workers, None):
        raise JobError(mistakes)
    with KeptJournal(project_dir, _typed(targets, flow_file, plugin_paths, project_dir, force)) as journal:
        opened = project.open(project_dir, flow_file)
        journal.project_dir = opened.dir
        catalogue = discovery.find(Search((*plugin_paths, *opened.plugins)))
        build = Build(opened, catalogue, streams_only=streams_only)
        if workers is not None:
            from minihost.workers.requests import shared_step

            build.shared = functools.partial(shared_step, catalogue=catalogue, where=workers)
        ran = build.run(
            targets,
            Options(timeout=timeout, quiet=quiet),
            force=force,
            report=lambda line: None if quiet else click.echo(line, err=True),
            journal=journal,
        )
    if not quiet:
        click.echo(f"{ran} step{'' if ran == 1 else 's'} ran." if ran else "Everything is up to date.", err=True)


def _typed(
    targets: tuple[str, ...], flow_file: Path | None, plugin_paths: tuple[Path, ...], project_dir: Path, force: bool
) -> str:
    """The command that builds the same."""
    words = ["minihost", "build", *targets, *(["--force"] if force else [])]
    words += ["--file", str(flow_file)] if flow_file else []
    return shlex.join(words) + options_again(plugin_paths, project_dir)
