"""Says what is wrong with the parameters that a descriptor declares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Set
from typing import Any

from minihost.parameters import mistakes
from minihost.parameters.forms import FORMS, Form, as_shown, bounds, choices_of, default_of, expected, form_of, named
from minihost.parameters.schema import EXPECTED, ParameterSets, constraints
from minihost.parameters.visibility import condition
from minihost.suggestions import did_you_mean, one_of

Facts = tuple[str, str, str]
"""Level, where, text: what a finding is made of."""


def check_parameters(
    where: str, params: Iterable[dict[str, Any]], sets: ParameterSets, roles: Set[str]
) -> Iterator[Facts]:
    """What is wrong with a list of parameters; `roles` are the input roles that a COLUMN may name."""
    params = list(params)
    names = [param["name"] for param in named(params)]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield (
                "warning",
                where,
                f"parameter {name!r} is declared {names.count(name)} times; the last visible one counts",
            )
    for param in params:
        name = param.get("name")
        if param.get("type") != "SEPARATOR" and not isinstance(name, str):
            yield "error", where, f"a parameter of type {param.get('type')} has no name"
    for param in named(params):
        for level, text in _check_one(param, set(names), sets, roles):
            yield level, where, f"parameter {param['name']!r}: {text}"


def _check_one(
    param: dict[str, Any], names: Set[str], sets: ParameterSets, roles: Set[str]
) -> Iterator[tuple[str, str]]:
    kind = str(param.get("type"))
    if kind not in FORMS:
        yield "warning", f"type {kind} is unknown.{did_you_mean(kind, FORMS)}"
    if param["name"].startswith("__"):
        yield "error", "names with two underscores in front are reserved"
    for mistaken, meant in (("default", "defaultValue"), ("required", "mandatory")):
        if mistaken in param:
            yield "warning", f"{mistaken!r} does nothing; did you mean {meant!r}?"
    yield from _check_choices(param)
    yield from _check_default(param)
    yield from _check_condition(param, names)
    if form_of(param) is Form.PRESET and param.get("parameterSetId") not in sets:
        wrong = str(param.get("parameterSetId"))
        yield (
            "error",
            f"parameter set {wrong!r} is not in this plugin.{did_you_mean(wrong, sets)} There are: {one_of(sets)}",
        )
    role = param.get("columnRole")
    if kind in ("COLUMN", "COLUMNS") and roles and role not in roles:
        yield "warning", f"columnRole {role!r} is no input role.{did_you_mean(str(role), roles)}"
    inner = param.get("subParams")
    if isinstance(inner, list):
        rows = [item for item in inner if isinstance(item, dict)]
        yield from ((level, text) for level, _, text in check_parameters("", rows, sets, roles))


def _check_choices(param: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if form_of(param) not in (Form.CHOICE, Form.CHOICES):
        return
    declared, dynamic = param.get("selectChoices"), bool(param.get("getChoicesFromPython"))
    if dynamic and declared:
        yield "warning", "has both selectChoices and getChoicesFromPython; the latter counts"
    elif not dynamic and not isinstance(declared, list):
        yield "error", "has neither selectChoices nor getChoicesFromPython"
    elif not dynamic:
        values = [as_shown(value) for value in choices_of(param) or []]
        if any(
            not isinstance(choice, dict) or "value" not in choice or "label" not in choice for choice in declared or []
        ):
            yield "warning", "a choice is not an object with value and label"
        for value in dict.fromkeys(values):
            if values.count(value) > 1:
                yield "warning", f"has the choice {value!r} twice"


def _check_default(param: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A default that the parameter's own rules would refuse."""
    declared = param.get("defaultValue")
    low, high = bounds(param)
    if low is not None and high is not None and low > high:
        yield "error", f"no value is possible: at least {low}, at most {high}"
    if declared is None or declared == "":
        return
    if isinstance(declared, float) and not math.isfinite(declared):
        yield "error", f"default {declared} is no number"
        return
    rules: dict[str, Any] = {EXPECTED: expected(param), **constraints(param, declared, {})}
    found = mistakes.find({"default": declared}, {"properties": {"default": rules}})
    if found:
        level = "error" if default_of(param) == declared else "warning"  # a mended one works, here at least
        yield level, f"default {as_shown(declared)!r} is not {expected(param)}"


def _check_condition(param: dict[str, Any], names: Set[str]) -> Iterator[tuple[str, str]]:
    read = condition(param.get("visibilityCondition"))
    if read.warning:
        yield "warning", read.warning
    for name in sorted(read.names - names):
        yield "warning", f"visibilityCondition speaks of {name!r}, which is not declared.{did_you_mean(name, names)}"
