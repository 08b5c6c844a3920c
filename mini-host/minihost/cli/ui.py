"""`minihost ui`: the project's flow in the browser, for the person who started it."""

from __future__ import annotations

import logging
import secrets
import webbrowser
from pathlib import Path

import click

from minihost.cli.options import plugin_option, project_dir


@click.command("ui")
@plugin_option
@project_dir
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; any that is free when not given.")
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
def command(plugin_paths: tuple[Path, ...], project_dir: Path, port: int, open_it: bool) -> None:
    """Show the project's flow in the browser: add steps, fill in their forms, run them, look at what they made.

    It is served on 127.0.0.1 until Ctrl-C. The link that is printed holds a token: whoever has it can use the page,
    others on this machine cannot. What is running goes on when this command ends.
    """
    from minihost.errors import Interrupted, JobError
    from minihost.ui.server import serve
    from minihost.ui.workspace import Workspace

    if not project_dir.is_dir():
        raise JobError([f"The project folder {project_dir} does not exist. Make it first, or name another."])
    logging.basicConfig(level=logging.WARNING, format="%(message)s")

    def ready(link: str) -> None:
        click.echo(f"{project_dir.resolve()} is served at\n\n    {link}\n\nStop it with Ctrl-C.")
        if open_it:
            webbrowser.open(link)

    try:
        serve(Workspace(project_dir, plugin_paths), port, secrets.token_urlsafe(24), ready)
    except KeyboardInterrupt:
        raise Interrupted("Stopped.") from None
