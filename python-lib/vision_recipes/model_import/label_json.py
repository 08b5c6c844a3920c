"""Labels in JSON as other tools write them: lists, `class_indices`, `id2label`, alone or among other things."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError

KEYS = (
    "id2label",
    "label2id",
    "labels",
    "class_indices",
    "class_names",
    "classes",
    "names",
    "categories",
    "label_names",
)
_NAME_KEYS = ("name", "className", "class_name", "label", "title")
_NUMBER_KEYS = ("id", "index", "class_id", "label_id")
MAX_LENGTH = 8 << 20
FORMS = '["cat", "dog"], {"cat": 0, "dog": 1}, {"0": "cat", "1": "dog"} or {"labels": […]}'


def names_in_json(text: str, where: str) -> list[str]:
    """Return the names that a JSON text gives for outputs 0, 1, …; raises ModelFolderError."""
    try:
        strict_json.require(len(text) <= MAX_LENGTH, f"it is longer than {MAX_LENGTH:,} characters")
        return names_of(strict_json.loads(text))
    except ValueError as err:
        raise ModelFolderError(f"{where} has no labels that can be read ({str(err)[:200]}). Write {FORMS}.") from err


def has_names(text: str) -> bool:
    """Return whether a JSON text, which may be about something else, has labels among other things."""
    try:
        data = strict_json.loads(text[: MAX_LENGTH + 1])
        return isinstance(data, dict) and bool(set(KEYS) & set(data)) and len(names_of(data)) > 1
    except ValueError:
        return False


def names_of(data: Any) -> list[str]:
    """Return the names in JSON data, in the order of the outputs; raises ValueError."""
    if isinstance(data, list):
        return _of_list(data)
    if not isinstance(data, dict):
        raise ValueError("it is neither a list nor an object")
    for key in KEYS:
        if isinstance(data.get(key), (list, dict)) and data[key]:
            return names_of(data[key])
    numbers = [value for value in data.values() if type(value) is int]
    if data and len(numbers) == len(data):
        return _in_order({value: name for name, value in data.items()}, len(data))
    if data and all(key.isascii() and key.isdigit() for key in data):
        return _in_order({int(key): _name(value) for key, value in data.items()}, len(data))
    raise ValueError("its names have no numbers")


def _of_list(data: list[Any]) -> list[str]:
    rows = [row for row in data if isinstance(row, dict)]
    if not rows:
        return [_name(value) for value in data]
    names = [_name(next((row[key] for key in _NAME_KEYS if key in row), None)) for row in rows]
    numbers = [next((row[key] for key in _NUMBER_KEYS if key in row), None) for row in rows]
    if len(rows) == len(data) and all(number is None for number in numbers):
        return names
    if len(rows) != len(data) or not all(type(number) is int for number in numbers):
        raise ValueError("not all of its entries have a number and a name")
    return _in_order(dict(zip(numbers, names, strict=True)), len(data))


def _name(value: Any) -> str:
    """Return a name: text, a number as text, or the last of several (`["n01440764", "tench"]`)."""
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return str(value[-1])
    if isinstance(value, str) or type(value) is int:
        return str(value)
    raise ValueError(f"{str(value)[:60]} is not a name")


def _in_order(names: Mapping[Any, str], count: int) -> list[str]:
    """Return the names by their numbers, which are those from 0, or from 1, each once."""
    for first in (0, 1):
        if set(names) == set(range(first, first + count)):
            return [names[number] for number in sorted(names)]
    raise ValueError(f"the numbers of its {count} names are not 0 to {count - 1}, each once")
