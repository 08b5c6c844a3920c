"""Describes a component as plain facts: roles, parameters, a command line to start from. For people, programs, docs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from minihost.parameters.forms import Form, as_shown, default_of, expected, form_of, named
from minihost.parameters.resolving import filled
from minihost.parameters.schema import ParameterSets, is_mandatory, schema, set_params, shown
from minihost.plugins import Component, Plugin, Role


def describe(component: Component, plugin: Plugin) -> dict[str, Any]:
    """Everything that a form, a page or a program needs to know about a component."""
    return {
        "component": component.full_id,
        "kind": component.kind,
        "label": component.label,
        "description": str(component.meta.get("description") or ""),
        "inputs": [_role(role) for role in component.inputs],
        "outputs": [_role(role) for role in component.outputs],
        "params": [param(item, plugin.parameter_sets) for item in named(component.params)],
        "example": example(component, plugin.parameter_sets),
        "schema": schema(component.params, {}, plugin.parameter_sets),
    }


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
        inner = set_params(declared, sets) if form is not Form.ROWS else declared.get("subParams")
        facts["params"] = [param(item, sets) for item in named(_objects(inner))]
    return facts


def choices(found: Any) -> list[dict[str, Any]]:
    """Choices with value and label, whatever else the list holds left out."""
    return [
        {"value": choice["value"], "label": choice.get("label", choice["value"])}
        for choice in _objects(found)
        if "value" in choice
    ]


def example(component: Component, sets: ParameterSets) -> str:
    """A command line that fills every required role and mandatory parameter; its values are to be replaced."""
    words = ["minihost", "webapp" if component.kind == "webapp" else "run", component.id]
    for flag, roles in (("-i", component.inputs), ("-o", component.outputs)):
        for role in roles:
            if role.required:
                words += [flag, f"{role.name}={_sample_reference(role)}"]
    config = filled(component.params, {}, sets)
    form = shown(component.params, config)
    wanted = _keys_of_macro_roles(component)
    for name, item in form.params.items():
        if name not in config and name in form.visible and (is_mandatory(item) or name in wanted):
            words += ["-p", f"{name}={_sample_value(item)}"]
    return " ".join(shlex.quote(word) for word in words)


def _keys_of_macro_roles(component: Component) -> set[Any]:
    """The parameters of a macro that take the thing in the Flow that it is started from."""
    return {role.get("targetParamsKey") for role in _objects(component.descriptor.get("macroRoles"))}


def _sample_reference(role: Role) -> str:
    word = role.name.replace(" ", "_")
    return f"{word}.csv" if role.accepts_dataset and not role.accepts_folder else word


def _sample_value(declared: dict[str, Any]) -> str:
    samples = {Form.WHOLE: "1", Form.NUMBER: "1.0", Form.DATE: "2026-12-31", Form.MAP: "{}", Form.PRESET: "{}"}
    listed = choices(declared.get("selectChoices"))
    return as_shown(listed[0]["value"]) if listed else samples.get(form_of(declared), declared["name"].upper())


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
