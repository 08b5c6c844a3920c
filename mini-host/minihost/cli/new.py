"""`minihost new`: the skeleton of a plugin, or of a component with its test."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

import click

from minihost.runs.progress import shown


@click.group("new")
def command() -> None:
    """Write the skeleton of a plugin, or add a recipe, macro or web app to a plugin, with tests that pass."""


@command.command("plugin")
@click.argument("plugin_id", metavar="ID")
def plugin(plugin_id: str) -> None:
    """Make a plugin with one recipe and its tests in the new folder ID."""
    from minihost.plugins import skeletons

    _report(skeletons.new_plugin(plugin_id, Path.cwd()))
    click.echo(f"Next: pytest {plugin_id}")
    click.echo(f"Next: minihost show {skeletons.recipe_of(plugin_id)} --plugin {plugin_id}")


@command.command("recipe")
@click.argument("component_id", metavar="ID")
def recipe(component_id: str) -> None:
    """Add the recipe ID to the plugin in the current folder: a dataset in, a dataset out, one parameter."""
    _add("recipe", component_id)


@command.command("macro")
@click.argument("component_id", metavar="ID")
def macro(component_id: str) -> None:
    """Add the macro ID to the plugin in the current folder: one parameter, a table as its result."""
    _add("macro", component_id)


@command.command("webapp")
@click.argument("component_id", metavar="ID")
def webapp(component_id: str) -> None:
    """Add the web app ID to the plugin in the current folder: a page and its Flask backend."""
    _add("webapp", component_id)


def _add(kind: str, component_id: str) -> None:
    from minihost.plugins import skeletons

    files = skeletons.new_component(kind, component_id, Path.cwd())
    _report(files)
    test = next(path for path in files if path.parent.name == "tests")
    click.echo(f"Next: pytest {shlex.quote(shown(str(test)))}")
    click.echo(f"Next: minihost show {component_id} --plugin .")


def _report(files: Iterable[Path]) -> None:
    for path in files:
        click.echo(f"wrote {shown(str(path))}")
