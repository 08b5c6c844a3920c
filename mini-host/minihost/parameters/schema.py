"""Parameters as JSON Schema: one schema for a whole configuration, so that one pass finds every mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from minihost.parameters.forms import Form, bounds, choices_of, default_of, expected, form_of, named
from minihost.parameters.visibility import condition

EXPECTED = "x-expected"
"""The annotation that says in words what a value must be."""

ParameterSets = Mapping[str, Mapping[str, Any]]
"""Id of a parameter set -> its descriptor."""


@dataclass(frozen=True)
class Shown:
    """The parameters as a form would show them for a configuration: one for each name, and which are visible."""

    params: dict[str, dict[str, Any]]
    visible: frozenset[str]


def shown(params: Iterable[dict[str, Any]], config: Mapping[str, Any]) -> Shown:
    """Choose one parameter for each name (the last visible one of that name), and say which names are visible."""
    chosen: dict[str, dict[str, Any]] = {}
    visible: set[str] = set()
    for param in named(params):
        name = param["name"]
        if condition(param.get("visibilityCondition")).holds(config):
            chosen[name] = param
            visible.add(name)
        elif name not in visible:
            chosen[name] = param
    return Shown(chosen, frozenset(visible))


def inner_params(param: dict[str, Any], sets: ParameterSets) -> list[dict[str, Any]]:
    """The parameters inside one: those of the set that a PRESET names, administrators' ones too, or of each row.

    Empty where the set is not known, and for parameters that have none inside.
    """
    form = form_of(param)
    if form is Form.ROWS:
        found = [param.get("subParams")]
    elif form in (Form.PRESET, Form.PRESETS):
        descriptor = sets.get(str(param.get("parameterSetId")), {})
        found = [descriptor.get(key) for key in ("params", "pluginParams")]
    else:
        return []
    return [item for part in found if isinstance(part, list) for item in part if isinstance(item, dict)]


def schema(params: Iterable[dict[str, Any]], config: Mapping[str, Any], sets: ParameterSets) -> dict[str, Any]:
    """The JSON Schema of a configuration: types, choices and bounds of each parameter, mandatory ones that are visible.

    A value that equals its parameter's default is not checked: a mistake in it is the plugin author's.
    """
    form = shown(params, config)
    properties = {name: _property(param, config.get(name), sets) for name, param in form.params.items()}
    required = [name for name in form.params if name in form.visible and is_mandatory(form.params[name])]
    return {"type": "object", "properties": properties, "required": required}


def is_mandatory(param: Mapping[str, Any]) -> bool:
    """Whether a visible parameter must have a value; a box that nobody ticked is a value, too."""
    return bool(param.get("mandatory")) and form_of(dict(param)) is not Form.FLAG


def _property(param: dict[str, Any], value: Any, sets: ParameterSets) -> dict[str, Any]:
    described: dict[str, Any] = {"title": str(param.get("label") or param["name"]), EXPECTED: expected(param)}
    if param.get("type") == "PASSWORD":
        described["writeOnly"] = True
    if value is None or value == "" or _is_default(value, param):
        return described
    return described | constraints(param, value, sets)


def _is_default(value: Any, param: dict[str, Any]) -> bool:
    default = default_of(param)
    return default is not None and type(value) is type(default) and bool(value == default)


def constraints(param: dict[str, Any], value: Any, sets: ParameterSets) -> dict[str, Any]:
    """The JSON Schema of one parameter's value; the value itself decides what is visible inside presets and rows."""
    form = form_of(param)
    if form is Form.CHOICE or form is Form.CHOICES:
        choices = choices_of(param)
        one = {"type": ["string", "number", "boolean", "null"]} if choices is None else {"enum": choices}
        return one if form is Form.CHOICE else {"type": "array", "items": one}
    if form in (Form.WHOLE, Form.NUMBER):
        low, high = bounds(param)
        limits = {"minimum": low, "maximum": high}
        return _SHAPES[form] | {name: limit for name, limit in limits.items() if limit is not None}
    if form is Form.TEXTS and param.get("allowDuplicates") is False:
        return _SHAPES[form] | {"uniqueItems": True}
    if form in (Form.PRESET, Form.ROWS, Form.PRESETS):
        return _nested(form, inner_params(param, sets), value, sets)
    return _SHAPES[form]


def _nested(form: Form, params: list[dict[str, Any]], value: Any, sets: ParameterSets) -> dict[str, Any]:
    """A schema of its own for each object, because what is visible differs from row to row."""
    if form is Form.PRESET:
        return schema(params, value, sets) if isinstance(value, dict) else {"type": "object"}
    rows = value if isinstance(value, list) else []
    return {
        "type": "array",
        "items": {"type": "object"},
        "prefixItems": [schema(params, row, sets) if isinstance(row, dict) else {"type": "object"} for row in rows],
    }


_SHAPES: dict[Form, dict[str, Any]] = {
    Form.TEXT: {"type": "string"},
    Form.DATE: {"type": "string"},
    Form.FLAG: {"type": "boolean"},
    Form.WHOLE: {"type": "integer"},
    Form.NUMBER: {"type": "number"},
    Form.TEXTS: {"type": "array", "items": {"type": "string"}},
    Form.WHOLES: {"type": "array", "items": {"type": "integer"}},
    Form.NUMBERS: {"type": "array", "items": {"type": "number"}},
    Form.LIST: {"type": "array"},
    Form.MAP: {"type": "object", "additionalProperties": {"type": "string"}},
    Form.PAIRS: {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"from": {"type": "string"}, "to": {"type": "string"}},
            "required": ["from"],
        },
    },
    Form.ANY: {},
}
