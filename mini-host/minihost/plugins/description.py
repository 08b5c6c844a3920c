"""Describes a component as plain facts: roles, parameters, a command line to start from. For people, programs, docs."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Container, Iterable
from typing import Any

from minihost.parameters.forms import (
    Form,
    as_shown,
    bounds,
    default_of,
    expected,
    form_of,
    from_text,
    named,
)
from minihost.parameters.resolving import filled
from minihost.parameters.schema import ParameterSets, inner_params, is_mandatory, schema, shown
from minihost.plugins import Component, Described, ForeignComponent, Plugin, Role, host_section, own_forms
from minihost.plugins.foreign_kinds import why_not_run


def describe(component: Component, plugin: Plugin) -> dict[str, Any]:
    """Everything that a form, a page or a program needs to know about a component.

    `own_form` is there where the component draws its own form: the keys that its code reads, and a sample of them all.
    `only_dss` is there where this host does not run it: the sentence that says so.
    """
    facts = {
        **named_facts(component),
        "inputs": [_role(role) for role in component.inputs],
        "outputs": [_role(role) for role in component.outputs],
        "params": [param(item, plugin.parameter_sets) for item in named(component.params)],
        "example": example(component, plugin.parameter_sets),
        "schema": schema(component.params, {}, plugin.parameter_sets),
    }
    if own_form := own_forms.described(component, plugin):
        facts["own_form"] = own_form
        if own_form["keys"] and not host_section.read(component).example:
            facts["example"] += " --params params.json"
    return facts


def named_facts(component: Described) -> dict[str, Any]:
    """What there is to say of any component, of those too that only DSS runs."""
    reason = why_not_run(component)
    return {
        "component": component.full_id,
        "kind": component.kind,
        "label": component.label,
        "description": str(component.meta.get("description") or ""),
        **({"only_dss": reason} if reason else {}),
    }


def describe_foreign(component: ForeignComponent, plugin: Plugin) -> dict[str, Any]:
    """The facts of a component that only DSS runs: its parameters too, as far as the descriptor declares them."""
    params = named(item for item in _objects(component.descriptor.get("params")))
    none: dict[str, Any] = {"inputs": [], "outputs": [], "example": ""}
    return {**named_facts(component), **none, "params": [param(item, plugin.parameter_sets) for item in params]}


def param(declared: dict[str, Any], sets: ParameterSets) -> dict[str, Any]:
    """The facts of one parameter; `params` has those of a preset's or row's own parameters."""
    form = form_of(declared)
    facts: dict[str, Any] = {
        "name": declared["name"],
        "type": str(declared.get("type")),
        "label": str(declared.get("label") or declared["name"]),
        "description": str(declared.get("description") or ""),
        "mandatory": bool(declared.get("mandatory")),
        "expected": expected(declared),
    }
    default = default_of(declared)
    if default is not None:
        facts["default"] = default
    if declared.get("visibilityCondition") is False:
        facts["visible_if"] = "false"
    elif declared.get("visibilityCondition") not in (None, "", True):
        facts["visible_if"] = str(declared["visibilityCondition"])
    if declared.get("getChoicesFromPython"):
        facts["dynamic"] = True
    elif form in (Form.CHOICE, Form.CHOICES):
        facts["choices"] = choices(declared.get("selectChoices"))
    if form in (Form.PRESET, Form.PRESETS, Form.ROWS):
        facts["params"] = [param(item, sets) for item in named(inner_params(declared, sets))]
    return facts


def choices(found: Any) -> list[dict[str, Any]]:
    """Choices with value and label, whatever else the list holds left out."""
    return [
        {"value": choice["value"], "label": choice.get("label", choice["value"])}
        for choice in _objects(found)
        if "value" in choice
    ]


def example(component: Component, sets: ParameterSets) -> str:
    """The command line that the component declares, or one that fills every required role and mandatory parameter, and
    the roles whose columns these name; its values are to be replaced."""
    declared = host_section.read(component).example
    if declared:
        return declared
    params = _sampled(component.params, sets, host_section.keys_of_macro_roles(component))
    read = {item.get("columnRole") for item, _text in params if item.get("type") in ("COLUMN", "COLUMNS")}
    words = ["minihost", host_section.COMMANDS[component.kind], component.id]
    for flag, roles in (("-i", component.inputs), ("-o", component.outputs)):
        for role in roles:
            if role.required or (flag == "-i" and role.name in read):
                is_file = role.accepts_dataset and not role.accepts_folder
                words += [flag, f"{role.name}={_sample_reference(role.name, is_file=is_file)}"]
    for item, text in params:
        words += ["-p", f"{item['name']}={text}"]
    return " ".join(shlex.quote(word) for word in words)


def with_given(command: str, given: Iterable[tuple[str, str]]) -> str:
    """The command line with what a user gave for input roles and parameters in place of its samples.

    `given` holds pairs of a flag, `-i` or `-p`, and `NAME=VALUE`; what the command does not have yet is added.
    """
    words = shlex.split(command)
    for flag, text in given:
        name = text.partition("=")[0] + "="
        at = [place for place in range(1, len(words)) if words[place - 1] == flag and words[place].startswith(name)]
        if at:
            words[at[0]] = text
        else:
            last = [place for place in range(2, len(words)) if words[place - 1] == flag]
            end = last[-1] + 1 if last else 3 if flag == "-i" else len(words)
            words[end:end] = [flag, text]
    return " ".join(shlex.quote(word) for word in words)


def _sampled(
    declared: Iterable[dict[str, Any]], sets: ParameterSets, keys: Container[Any] = ()
) -> list[tuple[dict[str, Any], str]]:
    """A text for each parameter that needs a value, and for those in `keys`; a value may make others visible."""
    declared = list(declared)
    config = filled(declared, {}, sets)
    found: list[tuple[dict[str, Any], str]] = []
    while True:
        form = shown(declared, config)
        visible = (item for name, item in form.params.items() if name in form.visible)
        empty = (item for item in visible if config.get(item["name"]) in (None, [], {}))
        item = next((item for item in empty if is_mandatory(item) or item["name"] in keys), None)
        if item is None:
            return found
        text = _sample_value(item, sets)
        config[item["name"]] = from_text(text, item)
        found.append((item, text))


def _sample_reference(name: str, *, is_file: bool) -> str:
    return name.replace(" ", "_") + (".csv" if is_file else "")


def _sample_value(declared: dict[str, Any], sets: ParameterSets) -> str:
    name, form = declared["name"], form_of(declared)
    if declared.get("type") in ("DATASET", "FOLDER", "MANAGED_FOLDER"):
        return _sample_reference(name, is_file=declared["type"] == "DATASET")
    listed = choices(declared.get("selectChoices"))
    if listed:
        return as_shown(listed[0]["value"])
    if form in (Form.PRESET, Form.PRESETS, Form.ROWS):
        inner = _sampled(inner_params(declared, sets), sets)
        row = {item["name"]: from_text(text, item) for item, text in inner}
        return json.dumps(row if form is Form.PRESET else [row])
    if form in (Form.WHOLE, Form.NUMBER):
        low, high = bounds(declared)
        number = min(max(1, -math.inf if low is None else low), math.inf if high is None else high)
        return f"{math.ceil(number)}" if form is Form.WHOLE else f"{float(number)}"
    pair = '{"key": "value"}'
    samples = {Form.DATE: "2026-12-31", Form.MAP: pair, Form.PAIRS: pair, Form.WHOLES: "1", Form.NUMBERS: "1.0"}
    return samples.get(form, name.upper())


def _role(role: Role) -> dict[str, Any]:
    kinds = {"dataset": role.accepts_dataset, "folder": role.accepts_folder, "saved model": role.accepts_model}
    return {
        "name": role.name,
        "label": role.label,
        "description": role.description,
        "required": role.required,
        "many": role.many,
        "accepts": " or ".join(kind for kind, accepted in kinds.items() if accepted),
    }


def _objects(found: Any) -> Iterable[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
