"""Says what is wrong with the parameters that a descriptor declares."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Set
from typing import Any

from minihost.parameters import mistakes
from minihost.parameters.forms import Form, as_shown, bounds, choices_of, expected, form_of, named
from minihost.parameters.schema import EXPECTED, ParameterSets, constraints
from minihost.parameters.visibility import condition
from minihost.suggestions import did_you_mean, one_of

Facts = tuple[str, str]
"""The id of the rule that is broken, and a sentence."""


def check_parameters(params: Iterable[dict[str, Any]], sets: ParameterSets, roles: Set[str]) -> Iterator[Facts]:
    """What is wrong with a list of parameters, beyond the schema of each; `roles` are those that a COLUMN may name."""
    params = list(params)
    names = [param["name"] for param in named(params)]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            times = f"declared {names.count(name)} times; the last visible one counts"
            yield "param-twice", f"parameter {name!r} is {times}"
    for param in named(params):
        for rule, text in _check_one(param, set(names), sets, roles):
            yield rule, f"parameter {param['name']!r}: {text}"


def _check_one(param: dict[str, Any], names: Set[str], sets: ParameterSets, roles: Set[str]) -> Iterator[Facts]:
    if not param["name"].isidentifier():
        yield "param-identifier", "the name is no valid name of a variable"
    yield from _check_choices(param)
    yield from _check_default(param)
    yield from _check_condition(param, names)
    wrong = str(param.get("parameterSetId"))
    if form_of(param) is Form.PRESET and wrong not in sets:
        near = did_you_mean(wrong, sets)
        yield "param-preset", f"parameter set {wrong!r} is not in this plugin.{near} There are: {one_of(sets)}"
    role = param.get("columnRole")
    if param.get("type") in ("COLUMN", "COLUMNS") and roles and str(role) not in roles:
        yield "param-column-role", f"columnRole {role!r} is no input role.{did_you_mean(str(role), roles)}"
    inner = param.get("subParams")
    if isinstance(inner, list):
        yield from check_parameters([item for item in inner if isinstance(item, dict)], sets, roles)


def _check_choices(param: dict[str, Any]) -> Iterator[Facts]:
    if form_of(param) not in (Form.CHOICE, Form.CHOICES):
        return
    if param.get("getChoicesFromPython") and param.get("selectChoices"):
        yield "param-choices-both", "has both selectChoices and getChoicesFromPython; the latter counts"
    values = [as_shown(value) for value in choices_of(param) or []]
    for value in dict.fromkeys(values):
        if values.count(value) > 1:
            yield "param-choice-twice", f"has the choice {value!r} twice"


def _check_default(param: dict[str, Any]) -> Iterator[Facts]:
    """A default that the parameter's own rules would refuse: code gets it all the same."""
    declared = param.get("defaultValue")
    low, high = bounds(param)
    if low is not None and high is not None and low > high:
        yield "param-bounds", f"no value is possible: at least {low}, at most {high}"
    if declared is None or declared == "":
        return
    if isinstance(declared, float) and not math.isfinite(declared):
        yield "param-default", f"default {declared} is no number"
        return
    rules: dict[str, Any] = {EXPECTED: expected(param), **constraints(param, declared, {})}
    if mistakes.find({"default": declared}, {"properties": {"default": rules}}):
        yield "param-default", f"default {json.dumps(declared, ensure_ascii=False)} is not {expected(param)}"


def _check_condition(param: dict[str, Any], names: Set[str]) -> Iterator[Facts]:
    source = param.get("visibilityCondition")
    read = condition(source)
    if read.warning and isinstance(source, str):  # the schema refuses what is neither text nor true or false
        yield "param-condition", read.warning
    for name in sorted(read.names - names):
        near = did_you_mean(name, names)
        yield "param-condition", f"visibilityCondition uses {name!r}, which is not declared.{near}"
