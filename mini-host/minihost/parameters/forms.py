"""The types of parameters: the form of value each delivers, how it reads as text, what it must look like."""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
from collections.abc import Iterable
from enum import Enum
from typing import Any

from minihost.lenient_json import LenientJsonError, loads


class Form(Enum):
    """What kind of value a parameter delivers; the text says it in messages."""

    TEXT = "a text"
    FLAG = "true or false"
    WHOLE = "a whole number"
    NUMBER = "a number"
    CHOICE = "one of the choices"
    CHOICES = "a list of choices, as JSON or separated by commas"
    TEXTS = "a list of texts, as JSON or separated by commas"
    WHOLES = "a list of whole numbers, as JSON or separated by commas"
    NUMBERS = "a list of numbers, as JSON or separated by commas"
    LIST = "a list, as JSON or separated by commas"
    MAP = 'an object of texts, as JSON: {"key": "value"}'
    PAIRS = 'a list of pairs, as JSON: [{"from": "key", "to": "value"}] or {"key": "value"}'
    ROWS = "a list of objects, as JSON"
    PRESET = "an object, as JSON, or one value after another as NAME.PARAMETER=VALUE"
    PRESETS = "a list of presets, each an object, as JSON"
    DATE = "a date such as 2026-12-31 or 2026-12-31T00:00:00.000Z"
    ANY = "a value, as JSON or text"


_TEXTS = """STRING TEXTAREA PASSWORD COLUMN DATASET DATASET_COLUMN FOLDER MANAGED_FOLDER SAVED_MODEL API_SERVICE
API_SERVICE_VERSION CODE_ENV BUNDLE CONNECTION CLUSTER LLM KNOWLEDGE_BANK ML_TASK PLUGIN PROJECT SCENARIO
VISUAL_ANALYSIS"""

FORMS: dict[str, Form] = {
    **dict.fromkeys(_TEXTS.split(), Form.TEXT),
    **dict.fromkeys(("STRINGS", "COLUMNS", "DATASETS", "DATASET_COLUMNS", "CONNECTIONS"), Form.TEXTS),
    "BOOLEAN": Form.FLAG,
    "INT": Form.WHOLE,
    "DOUBLE": Form.NUMBER,
    "SELECT": Form.CHOICE,
    "MULTISELECT": Form.CHOICES,
    "INTS": Form.WHOLES,
    "DOUBLES": Form.NUMBERS,
    "ARRAY": Form.LIST,
    "MAP": Form.MAP,
    "KEY_VALUE_LIST": Form.PAIRS,
    "OBJECT_LIST": Form.ROWS,
    "PRESET": Form.PRESET,
    "PRESETS": Form.PRESETS,
    "DATE": Form.DATE,
    "CREDENTIAL_REQUEST": Form.ANY,
}
"""Type in a descriptor -> form of its value. Types that are not here deliver what they are given, with a warning."""

_LISTS = {Form.CHOICES, Form.TEXTS, Form.WHOLES, Form.NUMBERS, Form.LIST}


class BadValue(Exception):
    """A value that does not fit its parameter's form."""


def form_of(param: dict[str, Any]) -> Form:
    """The form of a parameter's value."""
    return FORMS.get(str(param.get("type")), Form.ANY)


def choices_of(param: dict[str, Any]) -> list[Any] | None:
    """The values that a SELECT or MULTISELECT declares; None where it has none or they come from Python."""
    found = param.get("selectChoices")
    if not isinstance(found, list) or param.get("getChoicesFromPython"):
        return None
    return [choice.get("value") if isinstance(choice, dict) else choice for choice in found]


def from_text(text: str, param: dict[str, Any]) -> Any:
    """Read a value from the command line by the parameter's type; raises `BadValue`."""
    form = form_of(param)
    if form is Form.TEXT:
        return text
    if form is Form.CHOICE:
        return _choice(text, param)
    if form in _LISTS:
        return tidy(_items(text, form, param), param)
    if form is Form.FLAG:
        if text.casefold() in ("true", "false"):
            return text.casefold() == "true"
        raise BadValue
    if form is Form.DATE:
        return tidy(text, param)
    value = _json(text)
    if value is text and form is not Form.ANY:
        raise BadValue
    return tidy(value, param)


def tidy(value: Any, param: dict[str, Any]) -> Any:
    """Bring a value to the shape that components get: integral INT as int, keys and pairs as texts, dates in full.

    Values of a wrong type come back as they are, for the schema to name; raises `BadValue` for what no schema can say.
    """
    form = form_of(param)
    if form is Form.WHOLE:
        return _whole(value)
    if form is Form.NUMBER:
        return _finite(value)
    if form in (Form.WHOLES, Form.NUMBERS) and isinstance(value, list):
        return [_whole(item) if form is Form.WHOLES else _finite(item) for item in value]
    if form is Form.MAP and isinstance(value, dict):
        return {str(key): _as_text(item) for key, item in value.items()}
    if form is Form.PAIRS:
        return _pairs(value)
    if form is Form.DATE and value not in (None, ""):
        return _moment(value)
    return value


UNTOUCHED: dict[Form, Any] = {
    Form.FLAG: False,
    Form.MAP: {},
    **dict.fromkeys(
        (Form.CHOICES, Form.TEXTS, Form.WHOLES, Form.NUMBERS, Form.LIST, Form.PAIRS, Form.ROWS, Form.PRESETS), []
    ),
}
"""What a form holds where nobody touched the field and the descriptor gives no default.

A box that nobody ticked is false, a list or map that nobody filled is empty. The documentation leaves open what DSS
stores then; what public plugins do decides it. Of 227 BOOLEAN parameters of 88 plugins 34 declare no default. Five
plugins index such a key with no thought of its absence (seven parameters, among them Dataiku's own sample of a recipe),
so that nobody could run them from a form left as it is; all others of components treat absent as false. Five others
iterate an optional COLUMNS, MULTISELECT or MAP without a default, or take its length or index it; none of the 46 lists
and maps without one is told from an empty one.
"""


def untouched(param: dict[str, Any]) -> Any:
    """The value that components get where nobody touched the field; None where the key is absent then."""
    default = default_of(param)
    return copy.copy(UNTOUCHED.get(form_of(param))) if default is None else copy.deepcopy(default)


def default_of(param: dict[str, Any]) -> Any:
    """The default that a form shows, as components get it: of a box without one false; None where there is none.

    Authors write some defaults in another type: a number or list is mended where nothing is lost, anything else stays
    as it is.
    """
    value = param.get("defaultValue")
    form = form_of(param)
    if form is Form.FLAG and value is None:
        return False
    try:
        if isinstance(value, str) and form in (Form.WHOLE, Form.NUMBER):
            value = _json(value)
        if isinstance(value, str) and form in (Form.TEXTS, Form.CHOICES):
            return [value] if value else []
        return tidy(value, param)
    except BadValue:
        return param.get("defaultValue")


def _choice(text: str, param: dict[str, Any]) -> Any:
    """The declared choice that reads like the text; for choices from Python, a number where the default is one."""
    choices = choices_of(param)
    if choices is None:
        value = _json(text)
        return value if isinstance(param.get("defaultValue"), int) and isinstance(value, int) else text
    return next((choice for choice in choices if as_shown(choice) == text), text)


def as_shown(choice: Any) -> str:
    """A choice as it is written on the command line: texts bare, anything else as JSON."""
    shown = _as_text(choice)
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)


def _items(text: str, form: Form, param: dict[str, Any]) -> list[Any]:
    value = _json(text)
    if isinstance(value, list):
        return value
    items = [item.strip() for item in text.split(",")] if text.strip() else []
    if form is Form.CHOICES:
        return [_choice(item, param) for item in items]
    return [_json(item) for item in items] if form in (Form.WHOLES, Form.NUMBERS, Form.LIST) else list(items)


def _json(text: str) -> Any:
    """The text read as JSON, or the very same text where it is none."""
    try:
        return loads(text).value
    except LenientJsonError:
        return text


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise BadValue
    return value


def _as_text(value: Any) -> Any:
    """A scalar as text, as forms deliver it; lists and objects stay for the schema to refuse."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(value) if isinstance(value, (int, float)) else value


def _pairs(value: Any) -> Any:
    if isinstance(value, dict):
        value = [{"from": key, "to": item} for key, item in value.items()]
    if not isinstance(value, list):
        return value
    return [
        {str(key): _as_text(part) for key, part in item.items()} if isinstance(item, dict) else item for item in value
    ]


def _moment(value: Any) -> str:
    """A date as DSS delivers it: ISO 8601 in UTC with milliseconds; a day alone is its midnight in UTC."""
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError) as err:
        raise BadValue from err
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def expected(param: dict[str, Any]) -> str:
    """What a parameter's value must be, as a phrase: `a whole number from 1 to 10`."""
    form = form_of(param)
    low, high = bounds(param)
    choices = choices_of(param)
    if form in (Form.CHOICE, Form.CHOICES) and choices is not None:
        listed = ", ".join(as_shown(choice) or "(empty)" for choice in choices[:12]) + (
            ", …" if len(choices) > 12 else ""
        )
        return f"one of {listed}" if form is Form.CHOICE else f"a list out of {listed}"
    if low is not None and high is not None:
        return f"{form.value} from {low} to {high}"
    if low is not None:
        return f"{form.value} of at least {low}"
    return f"{form.value} of at most {high}" if high is not None else form.value


def bounds(param: dict[str, Any]) -> tuple[float | None, float | None]:
    """The least and largest value of an INT or DOUBLE, as far as the descriptor gives usable ones."""
    letter = {Form.WHOLE: "I", Form.NUMBER: "D"}.get(form_of(param))
    if letter is None:
        return None, None
    return _bound(param.get(f"min{letter}")), _bound(param.get(f"max{letter}"))


def _bound(value: Any) -> float | None:
    value = _json(value) if isinstance(value, str) else value
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def named(params: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parameters that deliver a value: separators and nameless ones left out."""
    return [param for param in params if param.get("type") != "SEPARATOR" and isinstance(param.get("name"), str)]
