"""`minihost webapp`: one web app, served on this machine to the person who started it."""

from __future__ import annotations

import secrets
import webbrowser
from pathlib import Path

import click

from minihost.cli.next_steps import next_commands
from minihost.cli.options import (
    find_plugins,
    from_file,
    one_by_one,
    options_again,
    pairs,
    plugin_option,
    plugin_settings,
    project_dir,
    values,
)


@click.command("webapp")
@click.argument("webapp")
@one_by_one
@from_file
@plugin_settings
@plugin_option
@project_dir
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; any that is free when not given.")
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
@click.option("--streams-only", is_flag=True, help="Refuse local paths of folders, as object storage does.")
@click.option("-q", "--quiet", is_flag=True, help="No log on the terminal, only the link.")
def command(
    webapp: str,
    params: tuple[str, ...],
    params_file: Path | None,
    settings: tuple[str, ...],
    plugin_paths: tuple[Path, ...],
    project_dir: Path,
    port: int,
    open_it: bool,
    streams_only: bool,
    quiet: bool,
) -> None:
    """Serve WEBAPP (`plugin/webapp`, or `webapp` where that is unique) on 127.0.0.1 until Ctrl-C.

    The link that is printed holds a token: whoever has it can use the web app, others on this machine cannot.
    """
    from minihost.errors import Interrupted
    from minihost.host import hooks
    from minihost.parameters.resolving import Given
    from minihost.projects import project
    from minihost.projects.planning import Request, plan
    from minihost.runs import detached
    from minihost.runs.progress import Served
    from minihost.runs.running import Options

    started_by = detached.settled()
    mistakes: list[str] = []
    request = Request(
        component=webapp,
        params=Given(values(params_file, mistakes), pairs("-p", "NAME=VALUE", params, mistakes)),
        settings=Given(texts=pairs("--setting", "NAME=VALUE", settings, mistakes)),
        kinds=("webapp",),
        streams_only=streams_only,
        mistakes=tuple(mistakes),
    )
    if started_by is not None:
        (started_by / detached.PARAMS).unlink(missing_ok=True)
    planned = plan(request, find_plugins(plugin_paths, project_dir), project.open(project_dir))
    for warning in planned.warnings:
        click.echo(f"warning: {warning}", err=True)
    token = secrets.token_urlsafe(24)
    commands = next_commands(planned, request, options_again(plugin_paths, project_dir))
    planned.job.payload = {"port": port, "token": token, "next": [*commands]}
    planned.job.secrets = [*planned.job.secrets, token]
    show = Served(planned.component.full_id, token, quiet=quiet, open_it=webbrowser.open if open_it else None)
    try:
        hooks().minihost_run_component(job=planned.job, options=Options(quiet=quiet, reporter=show))
    except Interrupted:
        raise Interrupted("Stopped.") from None
