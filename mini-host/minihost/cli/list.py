"""`minihost list`: what there is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from minihost.cli.options import as_json, find_plugins, plugin_option, project_dir
from minihost.plugins import Component
from minihost.plugins.discovery import Catalogue


@click.command("list")
@plugin_option
@project_dir
@as_json
def command(plugin_paths: tuple[Path, ...], project_dir: Path, as_json: bool) -> None:
    """List every recipe, macro and web app of every plugin in reach."""
    catalogue = find_plugins(plugin_paths, project_dir)
    if as_json:
        click.echo(json.dumps([_as_facts(component) for component in catalogue.components], indent=2))
    else:
        _print(catalogue)
    for problem in catalogue.problems:
        click.echo(f"warning: {problem}", err=True)


def _print(catalogue: Catalogue) -> None:
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
