"""`minihost new`: the skeleton of a plugin, or of a component with its test."""

from __future__ import annotations

from pathlib import Path

import click

from minihost.runs.progress import shown

KINDS = ("plugin", "recipe", "macro", "webapp")


@click.command("new")
@click.argument("kind", type=click.Choice(KINDS), metavar="plugin|recipe|macro|webapp")
@click.argument("new_id", metavar="ID")
@click.option("--folders", is_flag=True, help="Let the recipe read and write a folder instead of a dataset.")
def command(kind: str, new_id: str, folders: bool) -> None:
    """Write the skeleton of a plugin or of a component, with tests that pass.

    `plugin` makes the folder ID with a recipe and its tests. `recipe`, `macro` and `webapp` add a component with that
    id to the plugin in the current folder. What exists is never changed. An id has letters, digits, '_' and '-'.
    """
    from minihost.plugins import skeletons

    if folders and kind != "recipe":
        raise click.UsageError(f"--folders is for recipes; a {kind} has no inputs and outputs.")
    if kind == "plugin":
        files = skeletons.new_plugin(new_id, Path.cwd())
        further = [f"pytest {new_id}", f"minihost show {skeletons.recipe_of(new_id)} --plugin {new_id}"]
    else:
        files = skeletons.new_component("folders" if folders else kind, new_id, Path.cwd())
        test = next(path for path in files if path.parent.name == "tests")
        further = [f"pytest {shown(str(test))}", f"minihost show {new_id}"]
    for path in files:
        click.echo(f"wrote {shown(str(path))}")
    for line in further:
        click.echo(f"Next: {line}")
