"""JavaScript's truth and comparisons, as visibility conditions need them: undefined is a value, never an error."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final


class _Undefined:
    """JavaScript's undefined: what an absent name is."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = _Undefined()


def truth(value: Any) -> bool:
    """JavaScript's truth: empty text, 0, NaN, null and undefined are false; empty lists and objects are true."""
    if isinstance(value, (list, Mapping)):
        return True
    if isinstance(value, float) and math.isnan(value):
        return False
    return value is not UNDEFINED and bool(value)


def _is_nothing(value: Any) -> bool:
    return value is None or value is UNDEFINED


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_same(left: Any, right: Any) -> bool:
    """JavaScript's `===`: no conversions; lists and objects are the same only when they are one."""
    if _is_number(left) and _is_number(right):
        return bool(left == right)
    if isinstance(left, (list, Mapping)):
        return left is right
    return type(left) is type(right) and bool(left == right)


def _is_equal(left: Any, right: Any) -> bool:
    """JavaScript's `==`: null equals undefined, and texts and booleans meet numbers as numbers."""
    if _is_nothing(left) or _is_nothing(right):
        return _is_nothing(left) and _is_nothing(right)
    if type(left) is type(right) or isinstance(left, Mapping) and isinstance(right, Mapping):
        return _is_same(left, right)
    return _number(left) == _number(right)


def _is_ordered(left: Any, right: Any, test: Callable[[Any, Any], bool]) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return test(left, right)
    return test(_number(left), _number(right))  # NaN, so also undefined, is in no order with anything


def _number(value: Any) -> float:
    if value is None:
        return 0.0
    if not isinstance(value, (bool, int, float, str)):
        return math.nan
    try:
        return float(value.strip() or 0 if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return math.nan


def text(value: Any) -> str:
    """A value as JavaScript writes it into a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def index_of(owner: str | list[Any], item: Any) -> int:
    """JavaScript's `indexOf` of a text or list: -1 where there is none."""
    if isinstance(owner, str):
        return owner.find(text(item))
    return next((index for index, found in enumerate(owner) if _is_same(found, item)), -1)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _is_equal,
    "!=": lambda left, right: not _is_equal(left, right),
    "===": _is_same,
    "!==": lambda left, right: not _is_same(left, right),
    "<": lambda left, right: _is_ordered(left, right, lambda a, b: a < b),
    "<=": lambda left, right: _is_ordered(left, right, lambda a, b: a <= b),
    ">": lambda left, right: _is_ordered(left, right, lambda a, b: a > b),
    ">=": lambda left, right: _is_ordered(left, right, lambda a, b: a >= b),
}
