"""How parameters become checked fields: the base of all settings, and the kinds of fields they declare.

An absent value, None and "" are alike; the rest is cast and checked, and every mistake comes in one SettingsError.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from vision_recipes.errors import SettingsError


def _checked(rule: Mapping[str, Any], given: Any) -> Any:
    value = rule["cast"](given)
    choices, low, high = rule.get("choices"), rule.get("low"), rule.get("high")
    if choices and value not in choices:
        raise ValueError(f"{given!r} is not one of {', '.join(choices)}")
    if low is not None and value < low:
        raise ValueError(f"{given!r} is below the minimum {low}")
    if high is not None and value > high:
        raise ValueError(f"{given!r} is above the maximum {high}")
    return value


def _to_whole(given: Any) -> int:
    number = _to_number(given)
    if number != int(number):
        raise ValueError(f"{given!r} is not a whole number")
    return int(number)


def _to_number(given: Any) -> float:
    try:
        if isinstance(given, bool):
            raise TypeError
        number = float(given)
    except (TypeError, ValueError, OverflowError) as err:
        raise ValueError(f"{given!r} is not a number") from err
    if not math.isfinite(number):
        raise ValueError(f"{given!r} is not a finite number")
    return number


def _to_text(given: Any) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str | int | float):
        raise ValueError(f"{given!r} is not text")
    return str(given).strip()


def _to_flag(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    if str(given).lower() in ("true", "false"):
        return str(given).lower() == "true"
    raise ValueError(f"{given!r} is not true or false")


def _to_names(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        given = given.split(",")
    if not isinstance(given, list | tuple):
        raise ValueError(f"{given!r} is not a list of names")
    return tuple(str(name).strip() for name in given if str(name).strip())


def _to_pairs(given: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(given, Mapping):
        given = [{"from": name, "to": value} for name, value in given.items()]
    if not isinstance(given, list | tuple) or not all(isinstance(pair, Mapping) and "from" in pair for pair in given):
        raise ValueError(f"{given!r} is not a list of name and value pairs")
    return tuple((str(pair["from"]).strip(), str(pair.get("to", "")).strip()) for pair in given)


def whole(default: int, low: int | None = None, high: int | None = None) -> Any:
    """Declare a whole number within inclusive bounds."""
    return field(default=default, metadata={"cast": _to_whole, "low": low, "high": high})


def number(default: float, low: float | None = None, high: float | None = None) -> Any:
    """Declare a finite number within inclusive bounds."""
    return field(default=default, metadata={"cast": _to_number, "low": low, "high": high})


def choice(default: str, *others: str) -> Any:
    """Declare one of a few words, the default first."""
    return field(default=default, metadata={"cast": _to_text, "choices": (default, *others)})


def text(default: str = "") -> Any:
    """Declare a text, stripped."""
    return field(default=default, metadata={"cast": _to_text})


def flag(default: bool) -> Any:
    """Declare true or false."""
    return field(default=default, metadata={"cast": _to_flag})


def names() -> Any:
    """Declare a list of names."""
    return field(default=(), metadata={"cast": _to_names})


def pairs() -> Any:
    """Declare a list of name and value pairs."""
    return field(default=(), metadata={"cast": _to_pairs})


@dataclass(frozen=True)
class Settings:
    """The base of all settings: how parameters become checked fields."""

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Return the settings that the parameters describe; raises SettingsError with every mistake in them."""
        values: dict[str, Any] = {}
        mistakes: list[str] = []
        for spec in fields(cls):
            given = params.get(spec.name)
            if given is None or given == "":
                continue
            try:
                values[spec.name] = _checked(spec.metadata, given)
            except (ValueError, TypeError, SettingsError) as err:
                mistakes.append(f"{spec.name}: {err}")
        if not mistakes:
            settings = cls(**values)
            mistakes += settings.mistakes()
        if mistakes:
            raise SettingsError("; ".join(mistakes))
        return settings

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong between fields that are each right alone."""
        yield from ()
