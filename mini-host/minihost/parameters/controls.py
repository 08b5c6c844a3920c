"""Which control of a form shows a parameter, and what it offers to choose from."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from minihost.parameters.forms import Form, as_shown, choices_of, form_of
from minihost.parameters.schema import ParameterSets, inner_params


@dataclass(frozen=True)
class Option:
    """One thing to choose."""

    value: Any
    label: str
    group: str = ""


Offer = Callable[[dict[str, Any]], Sequence[Option] | None]
"""Asked what a parameter has to choose from that it does not declare: columns, datasets, choices from Python.

None where nothing is known.
"""


def as_key(value: Any, param: dict[str, Any]) -> str:
    """What a menu posts for a value: a text itself where only texts fit, else JSON, so that 1, "1" and true differ."""
    is_text = form_of(param) in (Form.TEXT, Form.TEXTS) and isinstance(value, str)
    return value if is_text else json.dumps(value, ensure_ascii=False)


def is_menu(param: dict[str, Any]) -> bool:
    """Whether a parameter is chosen from choices of its own, declared ones or from Python."""
    return form_of(param) in (Form.CHOICE, Form.CHOICES)


def declared_options(param: dict[str, Any]) -> list[Option] | None:
    """The choices that a parameter declares; None where it has none or they come from Python."""
    values = choices_of(param)
    if values is None:
        return None
    found = []
    for choice, value in zip(param["selectChoices"], values, strict=True):
        facts = choice if isinstance(choice, dict) else {}
        label = facts.get("label")
        found.append(Option(value, str(label if label not in (None, "") else as_shown(value) or "(empty)")))
        if facts.get("group"):
            found[-1] = Option(value, found[-1].label, str(facts["group"]))
    return found


_CONTROLS = {
    Form.CHOICE: "select",
    Form.CHOICES: "multiselect",
    Form.TEXT: "text",
    Form.DATE: "date",
    Form.FLAG: "checkbox",
    Form.WHOLE: "number",
    Form.NUMBER: "number",
    Form.TEXTS: "list",
    Form.WHOLES: "list",
    Form.NUMBERS: "list",
    Form.LIST: "list",
    Form.MAP: "map",
    Form.PAIRS: "pairs",
    Form.ROWS: "rows",
    Form.PRESET: "preset",
    Form.PRESETS: "rows",
    Form.ANY: "json",
}
CONTROLS = frozenset({*_CONTROLS.values(), "textarea", "password", "login", "separator", "unknown"})
"""Every kind of control; `unknown` is a value under a name that nothing declares."""


def control_of(param: dict[str, Any], value: Any, sets: ParameterSets) -> str:
    """The control that can show a value without losing any of it; `json` where that of the type cannot."""
    if (secret := _secret(param, value)) is not None:
        return secret
    form = form_of(param)
    if form in (Form.PRESET, Form.PRESETS, Form.ROWS) and not inner_params(param, sets):
        return "json"
    control = _CONTROLS[form]
    if control == "text" and param.get("type") == "TEXTAREA":
        control = "textarea"
    if value is not None and not _SHOWS.get(control, lambda _value: True)(value):
        return "textarea" if control == "text" and isinstance(value, str) else "json"
    return control


def _secret(param: dict[str, Any], value: Any) -> str | None:
    """The control of what is never shown again: a password, or a user with a password."""
    if param.get("type") == "PASSWORD":
        return "password"
    if param.get("type") != "CREDENTIAL_REQUEST":
        return None
    settings = param.get("credentialRequestSettings")
    kind = settings.get("type") if isinstance(settings, dict) else None
    parts = isinstance(value, dict) and value.keys() <= {"user", "password"}
    texts = parts and all(isinstance(part, str) for part in value.values())
    return "login" if texts or (value is None and kind == "BASIC") else "password"


def shows_default(param: dict[str, Any], default: Any) -> bool:
    """Whether the control of a parameter's type can show its default; a default of another type is not shown."""
    control = _CONTROLS[form_of(param)]
    return isinstance(default, str) if control == "text" else _SHOWS.get(control, lambda _value: True)(default)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, bool, int, float))


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_scalar(item) for item in value.values())


def _are_pairs(value: Any) -> bool:
    items = value if isinstance(value, list) else []
    each = all(isinstance(item, dict) and "from" in item and item.keys() <= {"from", "to"} for item in items)
    return (isinstance(value, list) and each and all(_is_texts(item) for item in items)) or _is_texts(value)


def is_day(value: Any) -> bool:
    """Whether a value is a date that a date picker can hold."""
    try:
        return isinstance(value, str) and len(value) == 10 and bool(dt.date.fromisoformat(value))
    except ValueError:
        return False


_SHOWS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str) and not set("\r\n") & set(value),
    "textarea": lambda value: isinstance(value, str),
    "date": lambda value: isinstance(value, str),
    "checkbox": lambda value: isinstance(value, bool),
    "number": lambda value: _is_scalar(value) and not isinstance(value, bool),
    "select": _is_scalar,
    "multiselect": lambda value: isinstance(value, list) and all(map(_is_scalar, value)),
    "list": lambda value: isinstance(value, list) and not any(isinstance(item, str) and "\n" in item for item in value),
    "map": _is_texts,
    "pairs": _are_pairs,
    "rows": lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
    "preset": lambda value: isinstance(value, dict),
}
"""Control -> whether it can show a value."""
