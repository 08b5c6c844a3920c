"""`minihost show`: the roles and parameters of one component."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from minihost.cli.options import as_json, find_plugins, options_again, pairs, plugin_option, project_dir
from minihost.parameters.condition_text import in_words
from minihost.plugins import Component
from minihost.plugins.discovery import Catalogue
from minihost.runs.progress import harmless_facts

LONGEST, FIRST, LAST = 25, 5, 15
"""Longer lists of choices are cut: so many are shown from their beginning and their end. --choices shows all."""


@click.command("show")
@click.argument("component")
@plugin_option
@project_dir
@click.option(
    "--choices",
    "with_choices",
    is_flag=True,
    help="Run the plugin's Python for the choices that it makes, and list all of them.",
)
@click.option(
    "-i", "--input", "inputs", multiple=True, metavar="ROLE=REF", help="What fills an input role; implies --choices."
)
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; implies --choices.")
@as_json
def command(
    component: str,
    plugin_paths: tuple[Path, ...],
    project_dir: Path,
    with_choices: bool,
    inputs: tuple[str, ...],
    params: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show the roles and parameters of COMPONENT, with a command line to start from.

    Choices that depend on an input, such as the layers of a model, are listed when that input is given with -i.
    """
    from minihost.plugins import description

    catalogue = find_plugins(plugin_paths, project_dir)
    if foreign := catalogue.foreign_component(component):
        _answer(description.describe_foreign(foreign, catalogue.plugin(foreign.plugin_id)), as_json)
        return
    found = catalogue.component(component)
    facts = description.describe(found, catalogue.plugin(found.plugin_id))
    given = [("-i", text) for text in inputs] + [("-p", text) for text in params]
    facts["example"] = description.with_given(facts["example"], given) if given else facts["example"]
    facts["example"] += options_again(plugin_paths, project_dir)
    if with_choices or inputs or params:
        _add_choices(facts, found, catalogue, project_dir, inputs, params)
    _answer(facts if with_choices or as_json else _shortened(facts), as_json)


def _answer(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _print(harmless_facts(facts))


def _shortened(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts with the ends alone of long lists of choices."""
    return facts | {"params": [_cut(param) for param in facts["params"]]}


def _cut(param: dict[str, Any]) -> dict[str, Any]:
    found = param.get("choices", ())
    if len(found) <= LONGEST:
        return param
    left_out = f"… {len(found) - FIRST - LAST} more; add --choices to see all {len(found)}"
    return param | {"choices": [*found[:FIRST], left_out, *found[-LAST:]]}


def _add_choices(
    facts: dict[str, Any],
    component: Component,
    catalogue: Catalogue,
    project_dir: Path,
    inputs: tuple[str, ...],
    params: tuple[str, ...],
) -> None:
    """Put dynamic choices in, or the reason why there are none; all of them share the time that one has."""
    import time

    from minihost.errors import JobError
    from minihost.parameters.forms import named
    from minihost.parameters.resolving import Given
    from minihost.projects import choices, project
    from minihost.projects.planning import Request, question

    mistakes: list[str] = []
    given = Given(texts=pairs("-p", "NAME=VALUE", params, mistakes))
    request = Request(
        component.full_id, pairs("-i", "ROLE=REF", inputs, mistakes), params=given, kinds=(component.kind,)
    )
    if mistakes:
        raise JobError(mistakes)
    job = question(request, catalogue, project.open(project_dir))
    dynamic = {param["name"]: param for param in named(component.params) if choices.is_dynamic(param)}
    until = time.monotonic() + choices.TIMEOUT
    for param in facts["params"]:
        if param["name"] in dynamic:
            left = round(until - time.monotonic())
            if left <= 0:
                param["no_choices"] = f"They were not asked for: those before took {choices.TIMEOUT:.0f} seconds."
                continue
            try:
                answer = choices.ask(dynamic[param["name"]], job, timeout=left)
                param["choices"] = [{"value": choice.value, "label": choice.label} for choice in answer]
            except choices.NoChoices as err:
                param["no_choices"] = str(err)


def _print(facts: dict[str, Any]) -> None:
    click.echo(f"{click.style(facts['component'], bold=True)}  {facts['kind']}  {facts['label']}")
    _print_text(facts["description"], "  ")
    if "only_dss" in facts:
        click.echo()
        _print_text(facts["only_dss"], "  ")
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
    give = "-i ROLE=REF for those of an input, or --choices" if facts["inputs"] else "--choices"
    for param in facts["params"]:
        _print_param({"how_to_list": f"choices: add {give}"} | param, "  ")
    if "own_form" in facts:
        _print_own_form(facts["own_form"])
    if facts["example"] and "only_dss" not in facts:
        click.echo(f"\nExample\n  {facts['example']}")


def _print_own_form(form: dict[str, Any]) -> None:
    """The keys that the code reads, where the descriptor does not declare them."""
    drawn = f"It draws its own form (paramsTemplate: {form['template']})" if form["template"] else "It has no form"
    click.echo(f"\nKeys of the configuration\n  {drawn}, so the descriptor does not declare its parameters.")
    click.echo("  Its code reads:" if form["keys"] else "  No key was found in its code.")
    for key in form["keys"]:
        default = f" = {json.dumps(key['default'], ensure_ascii=False)}" if "default" in key else ""
        need = ", required" if key["required"] else ""
        click.echo(f"  {click.style(key['name'], bold=True)}{default}{need}  {click.style(key['place'], dim=True)}")
    for place in form["computed"]:
        click.echo(f"  and keys that are computed in {place}")
    if form["keys"]:
        click.echo("\nparams.json, to begin with: defaults of the code, and values to replace")
        click.echo(json.dumps(form["params"], indent=2, ensure_ascii=False))


def _print_param(param: dict[str, Any], indent: str) -> None:
    default = f" = {json.dumps(param['default'], ensure_ascii=False)}" if "default" in param else ""
    need = ", mandatory" if param["mandatory"] and not default else ""
    click.echo(f"{indent}{click.style(param['name'], bold=True)}{default}  {param['type']}{need}  {param['label']}")
    _print_text(param["description"], indent + "    ")
    for choice in param.get("choices", []):
        if isinstance(choice, str):
            click.echo(f"{indent}    {choice}")
            continue
        value = json.dumps(choice["value"], ensure_ascii=False)
        label = "" if choice["label"] == choice["value"] else str(choice["label"]).removeprefix(f"{value}: ")
        click.echo(f"{indent}    - {value}  {label}".rstrip())
    if param.get("dynamic") and "choices" not in param:
        _print_text(param.get("no_choices", param.get("how_to_list", "")), indent + "    ")
    if param.get("visible_if") == "false":
        click.echo(f"{indent}    never shown in a form")
    elif "visible_if" in param:
        click.echo(f"{indent}    only {in_words(param['visible_if'])}")
    for inner in param.get("params", []):
        _print_param(inner, indent + "    ")


def _print_text(text: str, indent: str) -> None:
    if text:
        click.echo(click.wrap_text(text, width=100, initial_indent=indent, subsequent_indent=indent))
