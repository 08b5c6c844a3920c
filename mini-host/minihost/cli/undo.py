"""`minihost undo`: flow.yaml as it was before the last edit."""

from __future__ import annotations

from pathlib import Path

import click

from minihost.cli import edit_options
from minihost.cli.build import flow_file
from minihost.cli.options import project_dir


@click.command("undo")
@flow_file
@project_dir
def command(flow_file: Path | None, project_dir: Path) -> None:
    """Put back what flow.yaml said before the last edit by `add`, `set`, `remove` or the page of `minihost ui`.

    Again, and the edit before that is undone; the last 50 are kept. A file changed by hand since is left alone.
    """
    from minihost.projects.editing import Undo

    edit_options.tell(edit_options.editor(project_dir, flow_file, ()), Undo())
