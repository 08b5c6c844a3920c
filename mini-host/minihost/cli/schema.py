"""`minihost schema`: JSON Schemas of descriptors and of flow.yaml, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

NAMES = ("plugin.json", "recipe.json", "runnable.json", "webapp.json", "parameter-set.json", "flow.yaml")


@click.command("schema")
@click.argument("name", required=False, type=click.Choice(NAMES), metavar="[NAME]")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write NAME.schema.json into this folder, of every file when there is no NAME.",
)
def command(name: str | None, folder: Path | None) -> None:
    """Write the JSON Schema of NAME, for editors.

    NAME is plugin.json, recipe.json, runnable.json, webapp.json, parameter-set.json or flow.yaml. Editors complete keys
    and mark mistakes with the schema. It has the rules of `minihost check`, as far as a schema can say them.
    """
    if folder is None:
        if name is None:
            raise click.UsageError(f"Which one? One of {', '.join(NAMES)}; or all of them with -o DIR.")
        click.echo(_text(name))
        return
    from minihost.errors import HostError

    for one in [name] if name else NAMES:
        target = folder / f"{one.removesuffix('.json').removesuffix('.yaml')}.schema.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            target.write_text(_text(one) + "\n", encoding="utf-8")
        except OSError as err:
            raise HostError(f"{target} could not be written: {err.strerror or err}.") from err
        click.echo(str(target))


def _text(name: str) -> str:
    return json.dumps(schema(name), indent=2, ensure_ascii=False)


def schema(name: str) -> dict[str, Any]:
    """The schema that is written for a file."""
    if name == "flow.yaml":
        from minihost.projects.flow_schema import flow_schema

        return flow_schema()
    from minihost.plugins.descriptor_schemas import SCHEMAS, published

    return dict(published(SCHEMAS[name]))
