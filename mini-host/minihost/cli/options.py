"""Options that several commands share, and how they are read."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from minihost.plugins.discovery import Catalogue

plugin_option = click.option(
    "--plugin",
    "plugin_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A plugin folder or zip to look at as well. May be given several times.",
)

project_dir = click.option(
    "--project",
    "project_dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    metavar="DIR",
    help="The project: the folder of flow.yaml, .minihost/ and relative paths. The current folder when not given.",
)

one_by_one = click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; NAME.NAME for presets."
)

from_file = click.option(
    "--params",
    "params_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.json",
    help="Parameters as a JSON object; -p wins over it.",
)

plugin_settings = click.option(
    "--setting", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the plugin itself."
)

workers_option = click.option(
    "--workers",
    metavar="WHERE",
    help="Share the files of the input folder out: over so many processes of this machine (4), or over a Ray cluster "
    "(ray, ray://HOST:PORT).",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for programs.")


def find_plugins(plugin_paths: Iterable[Path], project_dir: Path) -> Catalogue:
    """Find every plugin in reach of a command: those it names, those of the project's `flow.yaml`, and all others."""
    from minihost.plugins import Search, discovery

    named = tuple(plugin_paths)
    if (project_dir / "flow.yaml").is_file():
        from minihost.projects import project

        named += tuple(project.open(project_dir).plugins)
    return discovery.find(Search(named))


def options_again(plugin_paths: Iterable[Path], project_dir: Path) -> str:
    """Return the options that a further command needs to find the same plugins and project, with a leading space."""
    given = [("--plugin", path) for path in plugin_paths]
    given += [("--project", project_dir)] if project_dir != Path(".") else []
    return "".join(f" {flag} {shlex.quote(str(path))}" for flag, path in given)


def pairs(flag: str, shape: str, texts: Iterable[str], mistakes: list[str]) -> tuple[tuple[str, str], ...]:
    """Split each `NAME=VALUE` at its first `=`."""
    pairs: list[tuple[str, str]] = []
    for text in texts:
        name, sign, value = text.partition("=")
        if sign and name:
            pairs.append((name, value))
        else:
            mistakes.append(f"{flag} {text}: {shape} is expected.")
    return tuple(pairs)


def mistakes_of_workers(workers: str | None, shards: int | None) -> list[str]:
    """Return what is wrong with --workers and --shards."""
    if workers is None and shards is None:
        return []
    from minihost.workers import requests

    return list(requests.mistakes(workers, shards))


def values(file: Path | None, mistakes: list[str]) -> dict[str, Any]:
    """Read a file of parameters, a JSON object; what is wrong with it goes to the mistakes."""
    from minihost.lenient_json import LenientJsonError, read_object

    if file is None:
        return {}
    try:
        return dict(read_object(file).value)
    except LenientJsonError as err:
        mistakes.append(f"--params {err}")
        return {}
