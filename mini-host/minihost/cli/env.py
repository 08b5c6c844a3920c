"""`minihost env`: a plugin's code environment."""

from __future__ import annotations

from pathlib import Path

import click

from minihost.cli.options import find_plugins, plugin_option, project_dir


@click.command("env")
@click.argument("plugin", default=".")
@click.option("--relax", is_flag=True, help="Replace versions that this Python cannot install by the nearest it can.")
@click.option("--remove", is_flag=True, help="Remove the environment instead of building it.")
@plugin_option
@project_dir
@click.pass_context
def command(
    ctx: click.Context, plugin: str, relax: bool, remove: bool, plugin_paths: tuple[Path, ...], project_dir: Path
) -> None:
    """Build the code environment of PLUGIN (a folder, a zip, or the id of a plugin in reach).

    It is a virtual environment made from code-env/python/spec/requirements.txt; runs of the plugin use it from then on.
    Packages are installed with your rights: build environments of plugins that you trust.
    """
    import shutil

    from minihost.plugins import discovery
    from minihost.plugins.code_envs import building, records, spec

    found = (
        discovery.load(Path(plugin))
        if Path(plugin).exists()
        else find_plugins(plugin_paths, project_dir).plugin(plugin)
    )
    wanted = spec.spec_of(found.id, found.root)
    if wanted is None:
        click.echo(f"{found.id} has no code-env/python/spec/requirements.txt: it runs with the host's own Python.")
        return
    if remove:
        shutil.rmtree(wanted.place.parent, ignore_errors=True)
        click.echo(f"{found.id} runs with the host's own Python again.")
        return
    record = records.read(wanted.place)
    if record is not None:
        click.echo(f"{found.id} has its environment already: {wanted.place} (Python {record.python})")
    else:
        record = building.build(wanted, lambda line: click.echo(line, err=True), relax=relax)
        click.echo(f"{found.id} runs with {wanted.python} from now on.")
    for line in record.changes():
        click.echo(line)
    for line in record.warnings():
        click.echo(line, err=True)
    if not record.is_sound:
        ctx.exit(1)
