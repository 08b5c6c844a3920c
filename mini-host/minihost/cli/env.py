"""`minihost env`: a plugin's code environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from minihost.cli.options import find_plugins, plugin_option, project_dir
from minihost.plugins.code_envs import lookup
from minihost.plugins.code_envs.core_packages import REQUIREMENTS, SHARED

if TYPE_CHECKING:
    from minihost.plugins.code_envs.spec import EnvironmentSpec


@click.command("env")
@click.argument("plugin", default=".")
@click.option("--base", is_flag=True, help="Build the environment of plugins without requirements; names no PLUGIN.")
@click.option("--relax", is_flag=True, help="Replace versions that this Python cannot install by the nearest it can.")
@click.option("--remove", is_flag=True, help="Remove the environment instead of building it.")
@plugin_option
@project_dir
@click.pass_context
def command(
    ctx: click.Context,
    plugin: str,
    base: bool,
    relax: bool,
    remove: bool,
    plugin_paths: tuple[Path, ...],
    project_dir: Path,
) -> None:
    """Build the code environment of PLUGIN (a folder, a zip, or the id of a plugin in reach).

    It is a virtual environment made from code-env/python/spec/requirements.txt; runs of the plugin use it from then on.
    Plugins without that file share one environment with what the built-in environment of DSS has.
    Packages are installed with your rights: build environments of plugins that you trust.
    """
    import shutil

    from minihost.plugins.code_envs import building, records, spec

    if base and ctx.get_parameter_source("plugin") is not ParameterSource.DEFAULT:
        raise click.UsageError("--base is for all plugins without requirements; it takes no PLUGIN.")
    wanted = None if base else _wanted(plugin, plugin_paths, project_dir)
    who = f"Every plugin without {REQUIREMENTS}" if wanted is None else wanted.plugin_id
    wanted = wanted or spec.shared_spec()
    if remove and wanted.plugin_id == SHARED and not base:
        click.echo(f"It has no environment of its own. To remove the shared one: {lookup.COMMAND_FOR_BASE} --remove")
        return
    if remove:
        shutil.rmtree(wanted.place.parent, ignore_errors=True)
        click.echo(f"{who} runs with the host's own Python again.")
        return
    record = records.read(wanted.place)
    if record is not None:
        click.echo(f"{who} has its environment already: {wanted.place} (Python {record.python})")
    else:
        record = building.build(wanted, lambda line: click.echo(line, err=True), relax=relax)
        click.echo(f"{who} runs with {wanted.python} from now on.")
    for line in record.changes():
        click.echo(line)
    for line in record.warnings():
        click.echo(line, err=True)
    if not record.is_sound:
        ctx.exit(1)


def _wanted(plugin: str, plugin_paths: tuple[Path, ...], project_dir: Path) -> EnvironmentSpec | None:
    """What the environment of a plugin is built from, None where it has no requirements."""
    from minihost.plugins import discovery
    from minihost.plugins.code_envs import spec

    path = Path(plugin)
    found = discovery.load(path) if path.exists() else find_plugins(plugin_paths, project_dir).plugin(plugin)
    return spec.spec_of(found.id, found.root)
