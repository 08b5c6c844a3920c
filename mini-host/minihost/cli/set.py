"""`minihost set`: another value of something in a step, or another name for a step, folder or dataset."""

from __future__ import annotations

from pathlib import Path

import click

from minihost.cli import edit_options
from minihost.cli.build import flow_file
from minihost.cli.options import pairs, plugin_option, project_dir


@click.command("set")
@click.argument("subject", metavar="NAME")
@edit_options.inputs
@edit_options.outputs
@edit_options.params
@click.option("--unset", multiple=True, metavar="NAME", help="A parameter that gets its default again.")
@click.option("--name", metavar="NEW", help="Another name; what refers to it follows.")
@edit_options.creates
@edit_options.partition
@flow_file
@plugin_option
@project_dir
def command(
    subject: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    params: tuple[str, ...],
    unset: tuple[str, ...],
    name: str | None,
    creates: tuple[str, ...],
    partition: str | None,
    flow_file: Path | None,
    plugin_paths: tuple[Path, ...],
    project_dir: Path,
) -> None:
    """Change the step NAME: only what is given, all else stays as it is. `-i ROLE=` empties a role.

    With `--name` alone, NAME may be a folder or dataset too; `step:NAME`, `folder:NAME` or `dataset:NAME` says which,
    where two things have one name.
    """
    from minihost.errors import JobError
    from minihost.projects.editing import Rename, SetStep

    mistakes: list[str] = []
    read, written = (edit_options.roles("-i", inputs, mistakes), edit_options.roles("-o", outputs, mistakes))
    texts = pairs("-p", "NAME=VALUE", params, mistakes)
    if mistakes:
        raise JobError(mistakes)
    to = edit_options.editor(project_dir, flow_file, plugin_paths)
    if name is not None and not (read or written or texts or unset or creates or partition is not None):
        edit_options.tell(to, Rename(subject, name))
        return
    base = to.version().digest
    typed = to.typed_of_step(subject, texts) if texts else {}
    made = tuple(ref for ref in creates if ref) if creates else None
    edit_options.tell(to, SetStep(subject, read, written, typed, unset, name, made, partition), base)
