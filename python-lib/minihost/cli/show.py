"""`minihost show`: the roles and parameters of one component."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from minihost import description, discovery
from minihost.cli.options import as_json, plugin_places, project_dir


@click.command("show")
@click.argument("component")
@plugin_places
@project_dir
@click.option(
    "--choices", "with_choices", is_flag=True, help="Ask the plugin's Python for choices that depend on values."
)
@as_json
def command(component: str, places: tuple[Path, ...], project_dir: Path, with_choices: bool, as_json: bool) -> None:
    """Show the roles and parameters of COMPONENT, with a command line to start from."""
    catalogue = discovery.find(discovery.search_for(places, project_dir))
    found = catalogue.component(component)
    plugin = catalogue.plugin(found.plugin_id)
    facts = description.describe(found, plugin)
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _print(facts)


def _print(facts: dict[str, Any]) -> None:
    click.echo(f"{click.style(facts['component'], bold=True)}  {facts['kind']}  {facts['label']}")
    _print_text(facts["description"], "  ")
    for side in ("inputs", "outputs"):
        if facts[side]:
            click.echo(f"\n{side.capitalize()}")
        for role in facts[side]:
            need = "required" if role["required"] else "optional"
            many = ", several" if role["many"] else ""
            click.echo(f"  {click.style(role['name'], bold=True)}  {role['accepts']}, {need}{many}  {role['label']}")
            _print_text(role["description"], "      ")
    if facts["params"]:
        click.echo("\nParameters")
    for param in facts["params"]:
        _print_param(param, "  ")
    click.echo(f"\nExample\n  {facts['example']}")


def _print_param(param: dict[str, Any], indent: str) -> None:
    default = f" = {json.dumps(param['default'], ensure_ascii=False)}" if "default" in param else ""
    need = ", mandatory" if param["mandatory"] and not default else ""
    click.echo(f"{indent}{click.style(param['name'], bold=True)}{default}  {param['type']}{need}  {param['label']}")
    _print_text(param["description"], indent + "    ")
    for choice in param.get("choices", []):
        label = f"  {choice['label']}" if choice["label"] != choice["value"] else ""
        click.echo(f"{indent}    - {json.dumps(choice['value'], ensure_ascii=False)}{label}")
    if param.get("dynamic"):
        click.echo(f"{indent}    choices depend on other values: --choices asks for them")
    if "visible_if" in param:
        click.echo(f"{indent}    only if {param['visible_if']}")
    for inner in param.get("params", []):
        _print_param(inner, indent + "    ")


def _print_text(text: str, indent: str) -> None:
    if text:
        click.echo(click.wrap_text(text, width=100, initial_indent=indent, subsequent_indent=indent))
