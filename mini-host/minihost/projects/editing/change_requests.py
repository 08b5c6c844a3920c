"""Edits as JSON, as the page posts them: read, or refused with what is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from minihost.errors import JobError
from minihost.projects.editing import changes
from minihost.projects.editing.changes import Change
from minihost.suggestions import did_you_mean, one_of

KINDS: dict[str, type[Change]] = {
    "add_step": changes.AddStep,
    "set_step": changes.SetStep,
    "remove": changes.Remove,
    "copy_step": changes.CopyStep,
    "rename": changes.Rename,
    "add_folder": changes.AddFolder,
    "add_dataset": changes.AddDataset,
    "add_plugin": changes.AddPlugin,
    "undo": changes.Undo,
}
"""`kind` of an edit -> what it is. The other keys are its fields; `component_kind` is the kind of a new step."""

ALIASES = {"component_kind": "kind"}


def change_of(facts: Mapping[str, Any]) -> Change:
    """Return the edit that an object of JSON describes; raises `JobError` for one that does not fit."""
    kind = facts.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise JobError([f"`kind` of an edit is {kind!r:.60}.{did_you_mean(str(kind), KINDS)} Known: {one_of(KINDS)}."])
    of_kind = KINDS[kind]
    fields = {one.name: one for one in dataclasses.fields(of_kind)}
    given, mistakes = {}, []
    for key, value in facts.items():
        name = ALIASES.get(key, key) if of_kind is changes.AddStep else key
        if key == "kind":
            continue
        if name not in fields:
            mistakes.append(f"{kind}: there is no {key!r}.{did_you_mean(key, fields)} Known: {one_of(fields)}.")
            continue
        is_right, wanted, made = _READERS[str(fields[name].type)]
        if not is_right(value):
            mistakes.append(f"{kind}: {key!r} is {value!r:.60}; {wanted} is expected.")
        else:
            given[name] = made(value)
    missing = [name for name, one in fields.items() if name not in given and _is_needed(one)]
    mistakes += [f"{kind}: {name!r} is missing." for name in missing if not mistakes]
    if mistakes:
        raise JobError(mistakes)
    return of_kind(**given)


def _is_needed(one: dataclasses.Field[Any]) -> bool:
    return one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_filled(value: Any) -> bool:
    return _is_object(value) and all(_is_text(refs) or _is_texts(refs) for refs in value.values())


Reader = tuple[Callable[[Any], bool], str, Callable[[Any], Any]]

_READERS: dict[str, Reader] = {
    "str": (_is_text, "a text", str),
    "str | None": (lambda value: value is None or _is_text(value), "a text", lambda value: value),
    "bool": (lambda value: isinstance(value, bool), "true or false", bool),
    "tuple[str, ...]": (_is_texts, "a list of texts", tuple),
    "tuple[str, ...] | None": (
        lambda value: value is None or _is_texts(value),
        "a list of texts",
        lambda value: None if value is None else tuple(value),
    ),
    "Filled": (_is_filled, "an object of names, or of lists of them", dict),
    "Mapping[str, Any]": (_is_object, "an object", dict),
}
"""Type of a field -> whether a value fits it, what is expected, and how it is taken."""
