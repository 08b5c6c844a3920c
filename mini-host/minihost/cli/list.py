"""`minihost list`: what there is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from minihost import discovery
from minihost.cli.options import as_json, plugin_places, project_dir
from minihost.plugins import Component


@click.command("list")
@plugin_places
@project_dir
@as_json
def command(places: tuple[Path, ...], project_dir: Path, as_json: bool) -> None:
    """List every recipe, macro and web app of every plugin in reach."""
    catalogue = discovery.find(discovery.search_for(places, project_dir))
    if as_json:
        click.echo(json.dumps([_as_facts(component) for component in catalogue.components], indent=2))
    else:
        _print(catalogue)
    for problem in catalogue.problems:
        click.echo(f"warning: {problem}", err=True)


def _print(catalogue: discovery.Catalogue) -> None:
    if not catalogue.plugins:
        click.echo("No plugins here. Name one with --plugin PATH, or `minihost install FILE.zip`.")
    for plugin in catalogue.plugins:
        click.echo(f"{click.style(plugin.id, bold=True)} {plugin.version}  {plugin.root}")
        width = max((len(component.id) for component in plugin.components), default=0)
        for component in plugin.components:
            click.echo(f"  {component.kind:<7} {component.id:<{width}}  {component.label}")
        for problem in plugin.problems:
            click.echo(f"warning: {plugin.id}: {problem}", err=True)


def _as_facts(component: Component) -> dict[str, str]:
    return {
        "component": component.full_id,
        "kind": component.kind,
        "label": component.label,
        "description": str(component.meta.get("description") or ""),
        "folder": str(component.folder),
    }
