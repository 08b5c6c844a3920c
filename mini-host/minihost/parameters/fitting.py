"""Sees at a glance that a value fits its schema: the validator of JSON Schema takes longer to import than to ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
NOTES = {"title", "writeOnly"}


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value certainly is what a schema wants; no means that only the validator can tell, and say why not."""
    return all(
        _RULES[key](value, wanted, schema)
        if key in _RULES
        else key in NOTES or key.startswith("x-")
        for key, wanted in schema.items()
    )  # fmt: skip


def _has_type(value: Any, wanted: Any, _schema: Any) -> bool:
    return any(TYPES[name](value) for name in ([wanted] if isinstance(wanted, str) else wanted))


def _is_listed(value: Any, wanted: Any, _schema: Any) -> bool:
    return any(type(value) is type(choice) and value == choice for choice in wanted)


def _fit_items(value: Any, wanted: Any, schema: Any) -> bool:
    return isinstance(value, list) and all(fits(item, wanted) for item in value[len(schema.get("prefixItems", ())) :])


def _fit_properties(value: Any, wanted: Any, _schema: Any) -> bool:
    return isinstance(value, dict) and all(fits(value[name], wanted[name]) for name in wanted if name in value)


def _fit_others(value: Any, wanted: Any, schema: Any) -> bool:
    properties = schema.get("properties", {})
    return isinstance(value, dict) and all(fits(item, wanted) for name, item in value.items() if name not in properties)


_RULES: dict[str, Callable[[Any, Any, Any], bool]] = {
    "type": _has_type,
    "enum": _is_listed,
    "minimum": lambda value, wanted, _schema: TYPES["number"](value) and value >= wanted,
    "maximum": lambda value, wanted, _schema: TYPES["number"](value) and value <= wanted,
    "items": _fit_items,
    "prefixItems": lambda value, wanted, _schema: (
        isinstance(value, list) and all(fits(item, one) for item, one in zip(value, wanted, strict=False))
    ),
    "properties": _fit_properties,
    "required": lambda value, wanted, _schema: isinstance(value, dict) and all(name in value for name in wanted),
    "additionalProperties": _fit_others,
}
