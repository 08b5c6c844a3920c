"""Parameters of an edit as texts, made values: by the type that the component declares, or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minihost.errors import JobError
from minihost.lenient_json import LenientJsonError, loads
from minihost.parameters.forms import Form, form_of, from_text, named
from minihost.parameters.resolving import Given, resolve
from minihost.plugins import Component, Plugin


def typed(
    component: Component | None, plugin: Plugin | None, held: Mapping[str, Any], texts: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """Return the values of `NAME=TEXT`, and of `NAME:=JSON`, whose name comes with its colon. `PRESET.NAME` sets one
    value of a preset that is `held`. Raises `JobError` for a text that is no JSON, or an empty one that is no value."""
    found: dict[str, Any] = {}
    mistakes: list[str] = []
    params = list(component.params) if component else []
    declared = {param["name"]: param for param in named(params)}
    sets = plugin.parameter_sets if plugin else {}
    for name, text in texts:
        if name.endswith(":"):
            try:
                found[name[:-1]] = loads(text).value
            except LenientJsonError as err:
                mistakes.append(f"-p {name}={text}: after `:=` JSON is expected: {err}.")
            continue
        head, dot, rest = name.partition(".")
        is_inner = dot and name not in declared and head in declared and form_of(declared[head]) is Form.PRESET
        if name in declared or is_inner:
            before = {**held, **found}.get(head if is_inner else name)
            given = Given(values={head: before} if is_inner and isinstance(before, dict) else {}, texts=((name, text),))
            answer = resolve(params, given, sets)
            mistakes += [mistake for mistake in answer.mistakes if answer.refused] + answer.unknown
            value = answer.config.get(head if is_inner else name)
            found[head if is_inner else name] = (
                {**(before if isinstance(before, dict) else {}), rest: value.get(rest)} if is_inner and value else value
            )
        else:
            found[name] = from_text(text, {"name": name, "type": "ANY"})
    if mistakes:
        raise JobError(mistakes)
    return found
