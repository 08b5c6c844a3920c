"""`minihost status`: what of a flow is up to date, missing or stale, and why."""

from __future__ import annotations

import json
from pathlib import Path

import click

from minihost.cli.build import flow_file
from minihost.cli.options import as_json, plugin_option, project_dir

COLOURS = {"up to date": "green", "missing": "red", "stale": "yellow", "running": "cyan"}


@click.command("status")
@flow_file
@plugin_option
@project_dir
@as_json
def command(flow_file: Path | None, plugin_paths: tuple[Path, ...], project_dir: Path, as_json: bool) -> None:
    """Show each step of the flow: what it makes, whether that is up to date, and why not."""
    from minihost.plugins import Search, discovery
    from minihost.projects import project
    from minihost.projects.building import Build, copied

    opened = project.open(project_dir, flow_file)
    build = Build(opened, discovery.find(Search((*plugin_paths, *opened.plugins))))
    states = [copied(state) for state in build.states()]
    if as_json:
        click.echo(json.dumps(states, indent=2))
        return
    rows = [
        [state["step"], ", ".join(state["makes"]), state["state"], state["why"] or state["finished"]]
        for state in states
    ]
    head = ["step", "makes", "state", ""]
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(3)]
    click.echo(click.style("  ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=False)), bold=True))
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        cells[2] = click.style(cells[2], fg=COLOURS[row[2]])
        click.echo("  ".join([*cells, row[3]]).rstrip())
