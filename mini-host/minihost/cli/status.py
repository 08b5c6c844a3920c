"""`minihost status`: what of a flow is up to date, missing or stale, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from minihost.cli.build import flow_file
from minihost.cli.options import as_json, plugin_option, project_dir
from minihost.runs.progress import shown

COLOURS = {"up to date": "green", "missing": "red", "stale": "yellow", "failed": "red", "invalid": "red"}


@click.command("status")
@flow_file
@plugin_option
@project_dir
@as_json
def command(flow_file: Path | None, plugin_paths: tuple[Path, ...], project_dir: Path, as_json: bool) -> int:
    """Show each step of the flow: what it makes, whether that is up to date, why not, and the log of a failure.

    A step with mistakes is invalid, and the exit code 2; the others are shown all the same.
    """
    from minihost.plugins import Search, discovery
    from minihost.projects import project
    from minihost.projects.building import Build
    from minihost.projects.step_states import copied

    opened = project.open(project_dir, flow_file)
    build = Build(opened, discovery.find(Search((*plugin_paths, *opened.plugins))))
    states = [copied(state) for state in build.states()]
    code = 2 if any(state["mistakes"] for state in states) else 0
    if as_json:
        click.echo(json.dumps(states, indent=2))
        return code
    rows = [[state["step"], ", ".join(state["makes"]), state["state"], _remark(state)] for state in states]
    head = ["step", "makes", "state", ""]
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(3)]
    titles = "  ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=False)).rstrip()
    click.echo(click.style(titles, bold=True))
    for row, state in zip(rows, states, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        cells[2] = click.style(cells[2], fg=COLOURS[row[2]])
        click.echo("  ".join([*cells, row[3]]).rstrip())
        for mistake in state["mistakes"][1:]:
            click.echo(" " * (sum(widths) + 2 * len(widths)) + mistake)
    return code


def _remark(state: dict[str, Any]) -> str:
    """Why a step has its state; of a failure the first line of its reason, when it was, and where its log is."""
    failed = state["failed"]
    if state["mistakes"]:
        return str(state["mistakes"][0])
    if not failed:
        return str(state["why"] or state["finished"])
    reason = next(iter(failed["reason"].splitlines()), "")
    log = failed["log"] if Path(failed["log"] or "-").is_file() else ""
    what = f"{failed['at']}: {reason}" + (f" (log: {shown(log)})" if log else "")
    return what if state["state"] == "failed" else f"{state['finished']}; the run after that failed, {what}"
