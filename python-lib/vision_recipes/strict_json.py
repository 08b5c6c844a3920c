"""JSON from untrusted sources, read strictly into frozen dataclasses and written from them."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
import typing
from collections import Counter
from typing import Any, TypeVar

from vision_recipes.errors import ModelFolderError

MAX_BYTES = 1 << 20
"""Bytes that a JSON file of a model folder may have."""

_NEXT_STEP = "Get the model again from where it came from, or have it saved again."

T = TypeVar("T")


def parse(content: bytes, where: str, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Return the JSON object in the bytes; anything ambiguous (double keys, NaN, huge numbers, depth) is refused."""
    if len(content) > limit:
        raise ModelFolderError(f"{where} is larger than {limit} bytes, so it does not describe a model. {_NEXT_STEP}")
    try:
        data = loads(content.decode("utf-8-sig"))
    except ValueError as err:
        raise ModelFolderError(f"{where} is not valid JSON ({str(err)[:200]}). {_NEXT_STEP}") from err
    if not isinstance(data, dict):
        raise ModelFolderError(f"{where} holds a {type(data).__name__} where an object is expected.")
    return data


def loads(text: str) -> Any:
    """Return what a JSON text holds; raises ValueError, also for what is ambiguous."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError as err:
        raise ValueError("it is too deeply nested") from err


def read(kind: type[T], data: Any, where: str) -> T:
    """Return the dataclass `kind` made from JSON data: unknown or missing keys and other types are refused."""
    try:
        return _convert(kind, data, "")
    except ValueError as err:
        raise ModelFolderError(f"{where} does not describe a model that can be used: {err}.") from err


def write(instance: Any) -> Any:
    """Return the JSON data of a dataclass, the opposite of `read`."""
    return json.loads(json.dumps(instance, default=dataclasses.asdict))


def require(condition: object, reason: str) -> None:
    """Raise ValueError with a reason unless the condition holds; for what a dataclass checks when it is made."""
    if not condition:
        raise ValueError(reason)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        (key, _count), *_others = Counter(key for key, _value in pairs).most_common(1)
        raise ValueError(f"the key {key[:80]!r} is given twice")
    return found


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a number")


def _convert(kind: Any, data: Any, where: str) -> Any:
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return data
    if dataclasses.is_dataclass(kind):
        return _convert_object(kind, data, where)
    if origin in (types.UnionType, typing.Union):
        if data is None and type(None) in inside:
            return None
        kinds = [member for member in inside if member is not type(None)]
        return _convert(next((member for member in kinds if type(data) is member), kinds[-1]), data, where)
    if origin is tuple:
        return _convert_list(inside, data, where)
    if origin is dict:
        _require_kind(data, dict, "an object", where)
        return {key: _convert(inside[1], value, f"{where}.{key}") for key, value in data.items()}
    return _convert_scalar(kind, data, where)


def _require_kind(data: Any, kind: type, words: str, where: str) -> None:
    if not isinstance(data, kind):
        raise ValueError(f"{where or 'it'} must be {words}, not {_excerpt(data)}")


@functools.cache
def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Return the type of each field of a dataclass, and whether it must be given."""
    hints, absent = typing.get_type_hints(kind), dataclasses.MISSING
    return {
        field.name: (hints[field.name], field.default is absent and field.default_factory is absent)
        for field in dataclasses.fields(kind)
    }


def _convert_object(kind: Any, data: Any, where: str) -> Any:
    _require_kind(data, dict, "an object", where)
    fields, prefix = _fields(kind), f"{where}." if where else ""
    unknown = sorted(set(data) - set(fields))
    missing = [name for name, (_hint, required) in fields.items() if required and name not in data]
    require(not unknown, f"{prefix}{''.join(unknown[:1])[:60]} is not a known key")
    require(not missing, f"{prefix}{''.join(missing[:1])} is missing")
    values = {name: _convert(fields[name][0], value, prefix + name) for name, value in data.items()}
    try:
        return kind(**values)
    except ValueError as err:
        raise ValueError(f"{prefix}{err}" if where else str(err)) from err


def _convert_list(inside: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    _require_kind(data, list, "a list", where)
    kinds = inside[:1] * len(data) if len(inside) == 2 and inside[1] is Ellipsis else inside
    require(len(data) == len(kinds), f"{where} must have {len(kinds)} values, not {len(data)}")
    return tuple(
        _convert(kind, value, f"{where}[{i}]") for i, (kind, value) in enumerate(zip(kinds, data, strict=True))
    )


def _convert_scalar(kind: Any, data: Any, where: str) -> Any:
    if kind is float and type(data) is int and abs(data) < 1 << 53:
        return float(data)
    if type(data) is not kind or (kind is float and not math.isfinite(data)):
        name = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}.get(kind, str(kind))
        raise ValueError(f"{where} must be {name}, not {_excerpt(data)}")
    return data


def _excerpt(data: Any) -> str:
    text = json.dumps(data)
    return text if len(text) <= 60 else text[:57] + "..."
