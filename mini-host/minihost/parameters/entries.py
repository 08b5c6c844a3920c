"""What the controls of a form hold, as a browser posts it, and back to the values of parameters.

A text field posts its text, a box true or false, a menu the JSON of what was chosen or `{"typed": text}`, a list its
items, a map pairs of texts, a preset an object, rows a list of `{"from": NUMBER, "fields": object}`. The keys of such
objects are places in the list of parameters ("0", "1", …) since two parameters may have one name; `+NAME` is a value
that nothing declares. A control that still holds what was drawn leaves the value as it was written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from minihost.errors import JobError
from minihost.parameters.controls import as_key, control_of, shows_default
from minihost.parameters.forms import BadValue, Form, form_of, from_text, named, tidy, untouched
from minihost.parameters.resolving import filled
from minihost.parameters.schema import ParameterSets, inner_params, shown

Entries = Mapping[str, Any]
"""Key of a field -> what its control holds."""

ANYTHING = {"type": "ANY"}
UNKNOWN = "+"
"""The first character of the key of a value that nothing declares."""


def keyed(params: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each parameter that delivers a value with its key: its place among all, separators too."""
    for number, param in enumerate(params):
        if named([param]):
            yield str(number), param


def entry(param: dict[str, Any], value: Any, control: str, sets: ParameterSets) -> Any:
    """What a control holds that shows a value; None is a value that is absent."""
    return _HELD[control](param, value, sets)


def entries(params: Any, given: Mapping[str, Any], sets: ParameterSets) -> dict[str, Any]:
    """What all controls of a form hold that was just drawn for these values."""
    params = list(params)
    found: dict[str, Any] = {}
    for key, param in keyed(params):
        value = shown_value(param, given)
        found[key] = entry(param, value, control_of(param, value, sets), sets)
    declared = {param["name"] for param in named(params)}
    found |= {UNKNOWN + name: _json(value) for name, value in given.items() if name not in declared}
    return found


def shown_value(param: dict[str, Any], given: Mapping[str, Any]) -> Any:
    """What a form shows of a parameter: the given value, else the one that components get where nobody touched it.

    A default that is no value of the type is not shown, such as false of a column.
    """
    if param["name"] in given:
        return given[param["name"]]
    default = untouched(param)
    return default if default is not None and shows_default(param, default) else None


def read(params: Any, given: Mapping[str, Any], held: Entries, sets: ParameterSets) -> dict[str, Any]:
    """Return the values that a form now says: `given` is what it was drawn for, `held` what its controls hold.

    A value that equals the untouched default is left out unless it was given. Raises `JobError` for what is no content
    of a control.
    """
    params = list(params)
    values = dict(given)
    declared = {param["name"] for param in named(params)}
    for name in [name for name in given if name not in declared]:
        _take(values, given, name, _unknown(given[name], held.get(UNKNOWN + name)))
    by_name: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for key, param in keyed(params):
        by_name.setdefault(param["name"], []).append((key, param))
    for _ in range(2):  # which of two parameters of one name counts depends on the values of others
        visible = shown(params, filled(params, values, sets)).params
        for name, candidates in by_name.items():
            key, param = next(one for one in candidates if one[1] is visible[name])
            if key in held:
                _take(values, given, name, _read_one(param, given, held[key], sets))
    return values


_SAME, _UNSET = object(), object()


def _take(values: dict[str, Any], given: Mapping[str, Any], name: str, found: Any) -> None:
    if found is _SAME and name in given:
        values[name] = given[name]
    elif found is _SAME or found is _UNSET:
        values.pop(name, None)
    else:
        values[name] = found


def _unknown(value: Any, held: Any) -> Any:
    if held is None or held == _json(value):
        return _SAME
    text = _checked(held, str)
    return from_text(text, ANYTHING) if text.strip() else _UNSET


def _read_one(param: dict[str, Any], given: Mapping[str, Any], held: Any, sets: ParameterSets) -> Any:
    value = shown_value(param, given)
    control = control_of(param, value, sets)
    if control == "preset":
        inner = read(inner_params(param, sets), value or {}, _checked(held, dict), sets)
        if same(inner, value or {}):
            return _SAME
        return _UNSET if not inner or same(inner, untouched(param)) else inner
    if control == "rows":
        found = _rows(param, value or [], held, sets)
        if same(found, value or []):
            return _SAME
    elif held == entry(param, value, control, sets):
        return _SAME
    else:
        found = _READ[control](param, value, held)
    default = untouched(param)
    return _UNSET if same(found, default) or (_is_empty(found, param) and _is_empty(default, param)) else found


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same for JSON: 1 is 1.0, but not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _is_empty(value: Any, param: dict[str, Any]) -> bool:
    return value in (None, [], {}) or (value == "" and form_of(param) is not Form.CHOICE)


def _checked(held: Any, kind: type) -> Any:
    if not isinstance(held, kind):
        raise JobError([f"A field of the form holds {held!r:.60}; {_KINDS[kind]} is expected. Load the page anew."])
    return held


_KINDS = {str: "a text", bool: "true or false", list: "a list", dict: "an object"}


def _from_text(param: dict[str, Any], text: str) -> Any:
    """A text as the value of a parameter; the text itself where it is none, for the schema to say what is wrong."""
    try:
        return from_text(text, param)
    except BadValue:
        return text


def _rows(param: dict[str, Any], rows: list[Any], held: Any, sets: ParameterSets) -> list[Any]:
    """Each row that is left or new; `from` is its number when the form was drawn."""
    found = []
    for row in _checked(held, list):
        number, fields = _checked(row, dict).get("from"), _checked(row.get("fields"), dict)
        is_old = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(rows)
        found.append(read(inner_params(param, sets), rows[number] if is_old else {}, fields, sets))
    return found


def _read_text(param: dict[str, Any], _value: Any, held: Any) -> Any:
    text = _checked(held, str)
    return text if text or form_of(param) is Form.TEXT else None


def _read_number(param: dict[str, Any], _value: Any, held: Any) -> Any:
    text = _checked(held, str).strip()
    return _from_text(param, text) if text else None


def _chosen(param: dict[str, Any], held: Any) -> Any:
    """One choice: the JSON of a value, or a text that somebody typed instead."""
    if isinstance(held, dict):
        return _from_text(param | {"type": "SELECT"}, _checked(held.get("typed"), str))
    return from_text(_checked(held, str), ANYTHING) if held else None


def _read_password(_param: dict[str, Any], value: Any, held: Any) -> Any:
    """A new password; false removes what is there, and an empty text keeps it."""
    if held is False:
        return None
    return _checked(held, str) or value


def _read_login(_param: dict[str, Any], value: Any, held: Any) -> Any:
    found = {key: _checked(_checked(held, dict).get(key), str) for key in ("user", "password")}
    kept = (value or {}).get("password", "") if found["user"] else ""
    return found | {"password": found["password"] or kept} if any(found.values()) else None


def _read_list(param: dict[str, Any], _value: Any, held: Any) -> list[Any]:
    texts = [_checked(item, str) for item in _checked(held, list)]
    if form_of(param) is Form.TEXTS:
        return [text for text in texts if text]
    items = [from_text(text, ANYTHING) for text in texts if text.strip()]
    try:
        return list(tidy(items, param))
    except BadValue:
        return items


def _read_pairs(param: dict[str, Any], _value: Any, held: Any) -> Any:
    pairs = [[_checked(part, str) for part in _checked(pair, list)] for pair in _checked(held, list)]
    if any(len(pair) != 2 for pair in pairs):
        raise JobError(["A pair of the form does not have two parts. Load the page anew."])
    kept = [(key, item) for key, item in pairs if key or item]
    if form_of(param) is Form.MAP:
        return dict(kept)
    return [{"from": key, "to": item} for key, item in kept]


def _read_json(param: dict[str, Any], _value: Any, held: Any) -> Any:
    """A value as JSON; where a text is expected, only lists and objects are read as such."""
    text = _checked(held, str)
    value = from_text(text, ANYTHING) if text.strip() else None
    return text if form_of(param) is Form.TEXT and text.strip() and not isinstance(value, (list, dict)) else value


_READ: dict[str, Callable[[dict[str, Any], Any, Any], Any]] = {
    "text": _read_text,
    "textarea": _read_text,
    "date": _read_text,
    "checkbox": lambda _param, _value, held: _checked(held, bool),
    "number": _read_number,
    "select": lambda param, _value, held: _chosen(param, held),
    "multiselect": lambda param, _value, held: [_chosen(param, item) for item in _checked(held, list)],
    "list": _read_list,
    "map": _read_pairs,
    "pairs": _read_pairs,
    "password": _read_password,
    "login": _read_login,
    "json": _read_json,
}
"""Control -> how the value is read that it holds."""


def _text(value: Any) -> str:
    """A scalar as a text; lines end as browsers end them."""
    text = "" if value is None else value if isinstance(value, str) else _json(value)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _json(value: Any) -> str:
    """A value as JSON; a text bare, unless it would be read as something else then."""
    if value is None:
        return ""
    is_bare = isinstance(value, str) and value.strip() and from_text(value, ANYTHING) is value
    return _text(value) if is_bare else json.dumps(value, ensure_ascii=False)


def _held_pairs(_param: dict[str, Any], value: Any, _sets: ParameterSets) -> list[list[str]]:
    items = [(item["from"], item.get("to")) for item in value] if isinstance(value, list) else (value or {}).items()
    return [[_text(key), _text(item)] for key, item in items]


def _held_rows(param: dict[str, Any], value: Any, sets: ParameterSets) -> list[dict[str, Any]]:
    inner = inner_params(param, sets)
    return [{"from": number, "fields": entries(inner, row, sets)} for number, row in enumerate(value or ())]


def _held_text(_param: dict[str, Any], value: Any, _sets: ParameterSets) -> str:
    return _text(value)


_HELD: dict[str, Callable[[dict[str, Any], Any, ParameterSets], Any]] = {
    **dict.fromkeys(("text", "textarea", "date", "number"), _held_text),
    "checkbox": lambda _param, value, _sets: bool(value),
    "select": lambda param, value, _sets: "" if value is None else as_key(value, param),
    "multiselect": lambda param, value, _sets: [as_key(item, param) for item in value or ()],
    "list": lambda param, value, _sets: [
        _text(item) if form_of(param) is Form.TEXTS else _json(item) for item in value or ()
    ],
    "map": _held_pairs,
    "pairs": _held_pairs,
    "preset": lambda param, value, sets: entries(inner_params(param, sets), value or {}, sets),
    "rows": _held_rows,
    "password": lambda _param, _value, _sets: "",
    "login": lambda _param, value, _sets: {"user": (value or {}).get("user", ""), "password": ""},
    "json": lambda _param, value, _sets: _json(value),
}
"""Control -> what it holds for a value."""
