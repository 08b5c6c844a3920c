"""Options of the commands that edit the flow, and how they tell what was done."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from minihost.cli.options import pairs

if TYPE_CHECKING:
    from minihost.projects.editing import Change, FlowEditor

inputs = click.option("-i", "--input", "inputs", multiple=True, metavar="ROLE=REF", help="What fills an input role.")
outputs = click.option(
    "-o", "--output", "outputs", multiple=True, metavar="ROLE=REF", help="What fills an output role."
)
params = click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; NAME:=VALUE for JSON."
)
creates = click.option(
    "--creates",
    multiple=True,
    metavar="REF",
    help="A folder or dataset that a macro fills. May be given several times.",
)
partition = click.option("--partition", metavar="ID", help="The partition that the step writes.")


def editor(project_dir: Path, flow_file: Path | None, plugin_paths: tuple[Path, ...]) -> FlowEditor:
    """The editor of the project that the options name; raises `JobError` where there is none."""
    from minihost.errors import JobError
    from minihost.projects.editing import FlowEditor

    place = flow_file.parent if flow_file is not None else project_dir
    if not place.is_dir():
        raise JobError([f"The project folder {place} does not exist."])
    return FlowEditor(project_dir, flow_file, plugin_paths)


def roles(flag: str, texts: Iterable[str], mistakes: list[str]) -> dict[str, Any]:
    """Role -> references; `ROLE=` without one for a role that nothing fills."""
    found: dict[str, Any] = {}
    for role, ref in pairs(flag, "ROLE=REF", texts, mistakes):
        found.setdefault(role, []).extend([ref] if ref else [])
    return found


def values(texts: Iterable[str]) -> dict[str, Any]:
    """Options of a folder or dataset: `NAME=TEXT`, where `true` and the like are read as JSON, or `NAME:=JSON`."""
    from minihost.errors import JobError
    from minihost.projects.editing.typed_params import typed

    mistakes: list[str] = []
    found = pairs("-p", "NAME=VALUE", texts, mistakes)
    if mistakes:
        raise JobError(mistakes)
    return typed(None, None, {}, found)


def tell(to: FlowEditor, change: Change, base: str | None = None) -> None:
    """Make the change and say what it did; raises with the two versions where they are at odds."""
    from minihost.projects.editing import FlowConflict

    try:
        applied = to.apply(change, base)
    except FlowConflict as err:
        if err.diff:
            click.echo(err.diff, err=True)
        raise
    for warning in applied.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(applied.summary)
