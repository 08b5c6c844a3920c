"""`minihost list`: what there is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from minihost.cli.options import as_json, find_plugins, plugin_option, project_dir
from minihost.plugins import Described
from minihost.plugins.discovery import Catalogue
from minihost.plugins.foreign_kinds import kind_of, why_not_run


@click.command("list")
@plugin_option
@project_dir
@as_json
def command(plugin_paths: tuple[Path, ...], project_dir: Path, as_json: bool) -> None:
    """List every component of every plugin in reach, with those that only DSS runs."""
    catalogue = find_plugins(plugin_paths, project_dir)
    if as_json:
        click.echo(
            json.dumps([_as_facts(component) for component in (*catalogue.components, *catalogue.foreign)], indent=2)
        )
    else:
        _print(catalogue)
    for problem in catalogue.problems:
        click.echo(f"warning: {problem}", err=True)


def _print(catalogue: Catalogue) -> None:
    if not catalogue.plugins:
        click.echo("No plugins here. Name one with --plugin PATH, or `minihost install FILE.zip`.")
    for plugin in catalogue.plugins:
        click.echo(f"{click.style(plugin.id, bold=True)} {plugin.version}  {plugin.root}")
        rows = [(kind_of(one), one) for one in (*plugin.components, *plugin.foreign)]
        wide = max((len(kind) for kind, _one in rows), default=0)
        width = max((len(one.id) for _kind, one in rows), default=0)
        for kind, one in rows:
            only_dss = "  (only DSS runs it)" if why_not_run(one) else ""
            click.echo(f"  {kind:<{wide}} {one.id:<{width}}  {one.label}{click.style(only_dss, dim=True)}")
        for problem in plugin.problems:
            click.echo(f"warning: {plugin.id}: {problem}", err=True)


def _as_facts(component: Described) -> dict[str, Any]:
    return {
        "component": component.full_id,
        "kind": component.kind,
        "label": component.label,
        "description": str(component.meta.get("description") or ""),
        "folder": str(component.folder),
        "runs_here": not why_not_run(component),
    }
