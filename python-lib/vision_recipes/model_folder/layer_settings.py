"""The settings of a layer as whole numbers, in the forms that Keras takes; anything else is a ValueError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vision_recipes.strict_json import require

Shape = tuple[int, ...]
Settings = Mapping[str, Any]


def is_same(settings: Settings) -> bool:
    """Return whether the padding is `same`; without one it is `valid`."""
    padding = settings.get("padding", "valid")
    require(padding in ("same", "valid"), f"padding {str(padding)[:40]!r} is not same or valid")
    return bool(padding == "same")


def count_of(settings: Settings, key: str, usual: int | None = None) -> int:
    """Return a setting that is a number from 1, `usual` when it is not given."""
    return whole_of(settings.get(key, usual), key)[0]


def pair_of(settings: Settings, key: str, usual: int | None = None, low: int = 1) -> tuple[int, int]:
    """Return a setting for height and width, which may be one number for both."""
    value = whole_of(settings.get(key, usual), key, low)
    require(len(value) in (1, 2), f"{key} has {len(value)} values")
    return value[0], value[-1]


def whole_of(value: Any, key: str, low: int = 1) -> Shape:
    """Return a number or a list of numbers as a tuple of whole numbers, `low` at least."""
    listed = value if isinstance(value, list) else [value]
    fits = listed and all(type(item) is int and item >= low for item in listed)
    require(fits, f"{key} is {str(value)[:40]}, not whole numbers from {low}")
    return tuple(listed)


def edges_of(value: Any) -> list[Shape]:
    """Return (before, after) for height and width from the forms that Keras takes: a number, two, or two pairs."""
    listed = value if isinstance(value, list) else [value, value]
    require(len(listed) == 2, f"{str(value)[:40]} is not two pairs of numbers")
    edges = [whole_of(item, "each side", low=0) for item in listed]
    return [(edge[0], edge[-1]) for edge in edges if len(edge) <= 2]


def axis_of(axis: Any, shape: Shape) -> int:
    """Return the place in `shape` of an axis that counts the batch as 0."""
    require(type(axis) is int, f"axis {str(axis)[:40]} is not a whole number")
    place = axis + len(shape) if axis < 0 else axis - 1
    require(0 <= place < len(shape), f"axis {axis} is not one of the input's {len(shape)}")
    return int(place)
