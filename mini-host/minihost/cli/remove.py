"""`minihost remove`: steps, folders and datasets go out of the flow."""

from __future__ import annotations

from pathlib import Path

import click

from minihost.cli import edit_options
from minihost.cli.build import flow_file
from minihost.cli.options import plugin_option, project_dir


@click.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("--force", is_flag=True, help="Also where other steps read what a removed step makes.")
@flow_file
@plugin_option
@project_dir
def command(
    names: tuple[str, ...], force: bool, flow_file: Path | None, plugin_paths: tuple[Path, ...], project_dir: Path
) -> None:
    """Take steps, folders and datasets out of the flow, with the comments directly above them. No data is deleted.

    `step:NAME`, `folder:NAME` or `dataset:NAME` says which, where two things have one name.
    """
    from minihost.projects.editing import Remove

    edit_options.tell(edit_options.editor(project_dir, flow_file, plugin_paths), Remove(names, force))
