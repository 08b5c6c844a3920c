"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

plugin_places = click.option(
    "--plugin",
    "places",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A plugin folder or zip to look at as well. May be given several times.",
)

project_dir = click.option(
    "--project",
    "project_dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    metavar="DIR",
    help="The project: the folder of flow.yaml, .minihost/ and relative paths. The current folder when not given.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for programs.")
