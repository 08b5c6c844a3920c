"""`minihost install`: keep a plugin for this user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from minihost.plugins.installing import Offer


@click.command("install")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-y", "--yes", is_flag=True, help="Do not ask. Only for files whose SHA-256 you have compared.")
def command(file: Path, yes: bool) -> int:
    """Install the plugin zip FILE for this user, after showing what it is. Nothing of it runs until you run it."""
    from minihost import user_folders
    from minihost.errors import HostError
    from minihost.plugins import installing

    def is_wanted(offer: Offer) -> bool:
        _print(offer)
        try:
            return yes or click.confirm("Install it? Its recipes run with your rights.", default=False)
        except click.Abort as err:
            raise HostError("Not installed: there was no answer. Give --yes where nobody can answer.") from err

    target = installing.install(file, user_folders.plugin_store(), is_wanted)
    click.echo(f"Installed in {target}" if target else "Not installed.")
    return 0


def _print(offer: Offer) -> None:
    plugin = offer.plugin
    meta = plugin.descriptor.get("meta")
    facts = meta if isinstance(meta, dict) else {}
    click.echo(f"{plugin.id} {plugin.version}  {facts.get('label') or ''}  by {facts.get('author') or 'unknown'}")
    click.echo(
        f"  from     {offer.archive}\n  sha256   {offer.sha256}\n  content  {offer.files} files, {offer.size:,} bytes"
    )
    if offer.replaces:
        click.echo(f"  replaces version {offer.replaces}")
    for component in plugin.components:
        click.echo(f"  {component.kind:<7}  {component.id}  {component.label}")
    for problem in (*plugin.problems, *offer.errors):
        click.echo(f"  warning  {problem}")
