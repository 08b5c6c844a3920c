"""Says in sentences what a JSON Schema found wrong with a configuration."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from minihost.parameters.fitting import fits
from minihost.parameters.forms import as_shown
from minihost.parameters.schema import EXPECTED
from minihost.suggestions import did_you_mean

MAX_SHOWN = 60


Place = tuple[str | int, ...]
"""Where in a configuration: names of parameters, and numbers of rows from 0."""


def find(instance: dict[str, Any], schema: dict[str, Any]) -> dict[str, Place]:
    """Every mistake of a configuration, one sentence each, in the order of the parameters, and where it is."""
    if fits(instance, schema):
        return {}
    from jsonschema import Draft202012Validator

    sentences: dict[str, Place] = {}
    for error in Draft202012Validator(schema).iter_errors(instance):
        path = list(error.absolute_path)
        if error.validator == "required" and _node(schema, path) is error.schema:
            for name in error.schema["required"]:
                if name not in error.instance:
                    sentences[_missing([*path, name], error.schema["properties"][name])] = (*path, name)
        else:
            sentences[_wrong(path, error, schema)] = tuple(path)
    return sentences


def missing(name: str, expected: str) -> str:
    """The sentence for a parameter without a value."""
    return f"Parameter {name!r} is missing: {expected} is expected."


def wrong(name: str, received: Any, expected: str) -> str:
    """The sentence for a value that does not fit."""
    return f"Parameter {name!r} is {_shown(received)}; {expected} is expected."


def dotted(path: Iterable[str | int]) -> str:
    """A path in a configuration as people write it: `compute.precision`, `rows[0].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _missing(path: list[str | int], described: dict[str, Any]) -> str:
    return missing(dotted(path), described.get(EXPECTED, "a value"))


def _wrong(path: list[str | int], error: Any, schema: dict[str, Any]) -> str:
    described: dict[str, Any] = {}
    owner = 0
    for depth in range(len(path) + 1):
        node = _node(schema, path[:depth])
        if EXPECTED in node:
            described, owner = node, depth
    received = "(not shown)" if described.get("writeOnly") else error.instance
    sentence = wrong(dotted(path[: max(owner, 1)]), received, described.get(EXPECTED, error.message))
    if error.validator == "enum" and isinstance(error.instance, str):
        sentence += did_you_mean(error.instance, [as_shown(choice) for choice in error.validator_value])
    if error.validator == "uniqueItems":
        sentence += " No value may occur twice."
    return sentence


def _node(schema: dict[str, Any], path: list[str | int]) -> dict[str, Any]:
    """The part of a schema that describes a place in the configuration."""
    node: Any = schema
    for part in path:
        if isinstance(part, str):
            node = node.get("properties", {}).get(part, {})
        else:
            rows = node.get("prefixItems", [])
            node = rows[part] if part < len(rows) else node.get("items", {})
    return node if isinstance(node, dict) else {}


def _shown(value: Any) -> str:
    if value == "(not shown)":
        return "(not shown)"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
