"""`minihost package`: the zip that DSS installs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("package")
@click.argument("plugin", type=click.Path(path_type=Path), default=Path("."))
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    metavar="DIR",
    help="Where the zip goes; dist/ when not given.",
)
def command(plugin: Path, folder: Path) -> None:
    """Make the zip of PLUGIN (the current folder when not given) that DSS and `minihost install` take."""
    from minihost.plugins import discovery, packaging

    made = packaging.package(discovery.load(plugin), folder)
    click.echo(f"{made.path}  {made.files} files, {made.size:,} bytes\nsha256 {made.sha256}")
