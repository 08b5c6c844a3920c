"""`minihost env`: a plugin's code environment."""

from __future__ import annotations

from pathlib import Path

import click

from minihost.cli.options import find_plugins, plugin_option, project_dir


@click.command("env")
@click.argument("plugin", default=".")
@click.option("--remove", is_flag=True, help="Remove the environment instead of building it.")
@plugin_option
@project_dir
def command(plugin: str, remove: bool, plugin_paths: tuple[Path, ...], project_dir: Path) -> None:
    """Build the code environment of PLUGIN (a folder, a zip, or the id of a plugin in reach).

    It is a virtual environment made from code-env/python/spec/requirements.txt; runs of the plugin use it from then on.
    Packages are installed with your rights: build environments of plugins that you trust.
    """
    import shutil

    from minihost.plugins import code_envs, discovery

    found = (
        discovery.load(Path(plugin))
        if Path(plugin).exists()
        else find_plugins(plugin_paths, project_dir).plugin(plugin)
    )
    spec = code_envs.spec_of(found.id, found.root)
    if spec is None:
        click.echo(f"{found.id} has no code-env/python/spec/requirements.txt: it runs with the host's own Python.")
        return
    if remove:
        shutil.rmtree(spec.place.parent, ignore_errors=True)
        click.echo(f"{found.id} runs with the host's own Python again.")
        return
    if spec.python.exists():
        click.echo(f"{found.id} has its environment already: {spec.place}")
        return
    python = code_envs.build(spec, lambda line: click.echo(line, err=True))
    click.echo(f"{found.id} runs with {python} from now on.")
