"""Says in sentences what the schema of a descriptor refuses."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any

from minihost.parameters.declarations import KEYS, RULE, UNUSED
from minihost.parameters.forms import FORMS
from minihost.plugins.descriptor_schemas import SCHEMAS
from minihost.plugins.findings import Finding
from minihost.plugins.worker_section import NAME as WORKERS
from minihost.suggestions import did_you_mean, one_of

_ALIKE = 0.85
"""How much (0 to 1) an unknown key must be like a known one to be called a misspelling of it."""


def check_schema(where: str, name: str, descriptor: dict[str, Any]) -> Iterator[Finding]:
    """What is wrong with a descriptor of the file name `name` by its schema, and keys that look misspelt."""
    from jsonschema import Draft202012Validator

    seen: set[Finding] = set()
    errors = Draft202012Validator(SCHEMAS[name]).iter_errors(descriptor)
    for error in sorted(errors, key=lambda error: [str(part) for part in error.absolute_path]):
        rule = error.schema[RULE]
        for text in _TEXTS.get(rule, _plain)(error):
            found = Finding(rule, where, _subject(list(error.absolute_path), descriptor) + text)
            if found not in seen:
                seen.add(found)
                yield found
    yield from _misspelt_keys(where, SCHEMAS[name]["properties"], descriptor, "")


def _misspelt_keys(where: str, known: dict[str, Any], found: dict[str, Any], subject: str) -> Iterator[Finding]:
    """Unknown keys that are nearly known ones; all others are left alone, because DSS has undocumented ones."""
    for key, value in found.items():
        near = difflib.get_close_matches(key, [name for name in known if found.get(name) is None], n=1, cutoff=_ALIKE)
        if key not in known and near:
            yield Finding("key-misspelt", where, f"{subject}{key!r} is no key. Did you mean {near[0]!r}?")
        items = known.get(key, {}).get("items", {})
        inner = KEYS | dict.fromkeys(UNUSED, {}) if "$ref" in items else items.get("properties")
        for item in value if inner and isinstance(value, list) else ():
            if isinstance(item, dict):
                what = "parameter" if "$ref" in items else "role" if key.endswith("Roles") else "item"
                yield from _misspelt_keys(where, inner, item, f"{what} {item.get('name')!r}: ")


def _subject(path: list[Any], descriptor: Any) -> str:
    """`parameter 'x': ` or `role 'x': ` for what lies in one; empty elsewhere."""
    subject, node = "", descriptor
    for holder, part in zip(["", *map(str, path)], path, strict=False):
        node = node[part]
        is_item = isinstance(part, int) and holder.lower().endswith(("params", "roles"))
        if is_item and isinstance(node, dict) and isinstance(node.get("name"), str):
            subject = f"{'role' if holder.endswith('Roles') else 'parameter'} {node['name']!r}: "
    return subject


def _missing(error: Any) -> str:
    """The key that is missing, where that is the error."""
    return str(error.message).split("'")[1] if error.validator == "required" else ""


def _key(error: Any) -> str:
    return next((part for part in reversed(error.absolute_path) if isinstance(part, str)), "")


def _plain(error: Any) -> Iterator[str]:
    """What holds for every rule: a missing key, a value that is not one of those expected, or of another type."""
    if missing := _missing(error):
        yield f"has no {missing!r}"
    elif error.validator == "enum":
        allowed = [str(choice) for choice in error.validator_value if choice is not None]
        near = did_you_mean(str(error.instance), allowed)
        yield f"{_key(error)} {_shown(error.instance)}: one of {', '.join(allowed)} is expected.{near}"
    elif error.validator == "type":
        kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        expected = " or ".join(_KINDS[kind] for kind in kinds if kind != "null")
        yield f"{_key(error)} is {_shown(error.instance)}; {expected} is expected"
    else:
        yield f"{_key(error)} {_shown(error.instance)}: {error.message}"


_KINDS = {
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "number": "a number",
}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _one(text: str) -> Callable[[Any], Iterator[str]]:
    """The same sentence for every breach, with `{value}` and `{key}` filled in."""

    def texts(error: Any) -> Iterator[str]:
        yield text.format(value=_shown(error.instance), key=_key(error))

    return texts


def _of_meta(error: Any) -> Iterator[str]:
    if _missing(error) or error.validator != "type":
        yield f"meta has no {_missing(error) or _key(error)!r}"
    else:
        expected = "a list of texts" if error.validator_value == "array" else "a text"
        yield f"meta: {_key(error)} is {_shown(error.instance)}; {expected} is expected"


def _of_version(error: Any) -> Iterator[str]:
    given = "has no 'version'" if _missing(error) else f"version {error.instance!r}"
    yield f"{given}: three numbers such as '1.0.0' are expected"


def _of_impersonate(error: Any) -> Iterator[str]:
    given = "has no 'impersonate'" if _missing(error) else f"impersonate is {_shown(error.instance)}"
    yield f"{given}; true or false is expected"


def _of_name(error: Any) -> Iterator[str]:
    kind = error.instance.get("type") if isinstance(error.instance, dict) else None
    yield f"a parameter of type {kind} has no name" if _missing(error) else f"the name {error.instance!r} is no text"


def _of_type(error: Any) -> Iterator[str]:
    kind = None if _missing(error) else error.instance
    yield f"type {kind} is unknown.{did_you_mean(str(kind), FORMS)}"


def _of_role(error: Any) -> Iterator[str]:
    side = next((part for part in error.absolute_path if isinstance(part, str)), "")
    yield f"{side} holds something without a name: {_shown(error.instance)}"


def _of_host_section(error: Any) -> Iterator[str]:
    keys = list(SCHEMAS["recipe.json"]["properties"]["minihost"]["properties"])
    if WORKERS in error.absolute_path:
        return  # `worker_section.mistakes` says it
    if any(str(part).endswith("Roles") for part in error.absolute_path):
        yield 'minihost: {"cache": true} is expected'
    elif error.validator == "additionalProperties":
        for name in error.instance:
            if name not in keys:
                yield f"minihost has no {name!r}.{did_you_mean(name, keys)} Known: {one_of(keys)}"
    elif list(error.absolute_path) == ["minihost"]:
        yield f"'minihost' is no object with {one_of(keys)}"
    else:
        yield f"minihost > {_key(error)}: {'a list of texts' if _key(error) == 'next' else 'a text'} is expected"


_TEXTS: dict[str, Callable[[Any], Iterator[str]]] = {
    "meta-object": _one("no 'meta' object with label, description and icon"),
    "meta-text": _of_meta,
    "meta-plugin": _of_meta,
    "meta-icon": _one("icon {value} is no FontAwesome class such as 'icon-picture'"),
    "plugin-version": _of_version,
    "plugin-version-text": _one("version {value} cannot stand in the name of a file"),
    "role-arity": _one("arity {value} is neither UNARY nor NARY"),
    "role-object": _of_role,
    "param-object": _one("{key} holds something that is no object: {value}"),
    "param-name": _of_name,
    "param-reserved": _one("names with two underscores in front are reserved"),
    "param-type": _of_type,
    "param-choices": _one("has neither selectChoices nor getChoicesFromPython"),
    "param-choice": _one("a choice is not an object with value and label"),
    "param-unused-key": lambda error: (
        f"{name!r} does nothing; did you mean {meant!r}?"
        for name, meant in UNUSED.items()
        if name == error.absolute_path[-1]
    ),
    "macro-impersonate": _of_impersonate,
    "host-section": _of_host_section,
}
"""Rule -> the sentences for a breach; every other rule has plain ones."""
