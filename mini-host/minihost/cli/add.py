"""`minihost add`: a step, a copy of one, a folder, a dataset or a plugin comes into the flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from minihost.cli import edit_options
from minihost.cli.build import flow_file
from minihost.cli.options import pairs, plugin_option, project_dir

if TYPE_CHECKING:
    from minihost.projects.editing import Change, FlowEditor

WHAT = ("step", "copy", "folder", "dataset", "plugin")
TAKEN = {
    "step": {"inputs", "outputs", "params", "creates", "partition", "name", "kind", "after"},
    "copy": {"name"},
    "folder": {"place", "params"},
    "dataset": {"place", "params"},
    "plugin": set(),
}
"""What each takes beside its name."""


@click.command("add")
@click.argument("what", type=click.Choice(WHAT), metavar="step|copy|folder|dataset|plugin")
@click.argument("subject", metavar="NAME")
@click.argument("place", required=False, metavar="[PATH]")
@edit_options.inputs
@edit_options.outputs
@edit_options.params
@edit_options.creates
@edit_options.partition
@click.option("--name", help="The name of the new step; that of its component when not given.")
@click.option("--kind", type=click.Choice(("recipe", "macro")), help="What COMPONENT is, where there are both.")
@click.option("--after", metavar="STEP", help="The step behind which it comes; the last when not given.")
@flow_file
@plugin_option
@project_dir
def command(
    what: str, subject: str, flow_file: Path | None, plugin_paths: tuple[Path, ...], project_dir: Path, **given: Any
) -> None:
    """Add something to the flow, and keep its comments, order and style.

    `step COMPONENT` adds a step at the end, `copy STEP` a second one like another, with new names for what it makes,
    `folder NAME [PATH]` and `dataset NAME [PATH]` declare what steps read and make, with options such as
    `-p format=parquet`, and `plugin PATH` adds a plugin folder or zip to the project.
    """
    given = {key: value for key, value in given.items() if value}
    if wrong := sorted(set(given) - TAKEN[what]):
        raise click.UsageError(f"add {what} does not take: {', '.join(wrong)}.")
    to = edit_options.editor(project_dir, flow_file, plugin_paths)
    edit_options.tell(to, _step(to, subject, **given) if what == "step" else _other(what, subject, **given))


def _step(to: FlowEditor, component: str, **given: Any) -> Change:
    from minihost.errors import JobError
    from minihost.projects.editing import AddStep

    mistakes: list[str] = []
    inputs = edit_options.roles("-i", given.pop("inputs", ()), mistakes)
    outputs = edit_options.roles("-o", given.pop("outputs", ()), mistakes)
    texts = pairs("-p", "NAME=VALUE", given.pop("params", ()), mistakes)
    if mistakes:
        raise JobError(mistakes)
    kinds = (given["kind"],) if "kind" in given else ("recipe", "macro")
    params = to.typed(component, kinds, {}, texts)
    return AddStep(component, inputs=inputs, outputs=outputs, params=params, **given)


def _other(what: str, subject: str, **given: Any) -> Change:
    from minihost.projects.editing import AddDataset, AddFolder, AddPlugin, CopyStep

    if what == "copy":
        return CopyStep(subject, given.get("name", ""))
    if what == "plugin":
        return AddPlugin(subject)
    options = {"path": given["place"]} if "place" in given else {}
    kind = AddFolder if what == "folder" else AddDataset
    return kind(subject, {**options, **edit_options.values(given.get("params", ()))})
