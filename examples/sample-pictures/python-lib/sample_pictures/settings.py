"""The macro's parameters, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sample_pictures.drawing import SAMPLES
from sample_pictures.errors import UserError


def _sample(given: Any) -> str:
    if given not in SAMPLES:
        raise ValueError(f"{given!r} is not one of {', '.join(SAMPLES)}")
    return str(given)


def _whole(given: Any, low: int, high: int) -> int:
    try:
        number = float("" if isinstance(given, bool) else given)
    except (TypeError, ValueError, OverflowError) as err:
        raise ValueError(f"{given!r} is not a number") from err
    if not number.is_integer():
        raise ValueError(f"{given!r} is not a whole number")
    if number < low:
        raise ValueError(f"{given!r} is below the minimum {low}")
    if number > high:
        raise ValueError(f"{given!r} is above the maximum {high}")
    return int(number)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{given!r} is not text")
    return given.strip()


CHECKS = {
    "sample": _sample,
    "count": lambda given: _whole(given, 2, 100_000),
    "seed": lambda given: _whole(given, 0, 2**31 - 1),
    "output_managed_folder": _text,
    "output_new_folder_name": _text,
    "table_managed_folder": _text,
}
"""Parameter -> function that returns its value, or raises ValueError with what is wrong."""


@dataclass(frozen=True)
class Settings:
    """Which sample to draw, how many pictures, and into which folder; some samples have a table for another."""

    sample: str = "egg-or-not"
    count: int = 200
    seed: int = 1337
    output_managed_folder: str = ""
    output_new_folder_name: str = ""
    table_managed_folder: str = ""

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Settings:
        """Return the checked parameters, defaults where one is None or ""; raises UserError with every mistake."""
        values: dict[str, Any] = {}
        mistakes: list[str] = []
        for name, check in CHECKS.items():
            given = params.get(name)
            if given is None or given == "":
                continue
            try:
                values[name] = check(given)
            except ValueError as err:
                mistakes.append(f"{name}: {err}")
        settings = cls(**values)
        if not mistakes and not (settings.output_managed_folder or settings.output_new_folder_name):
            mistakes.append("output_managed_folder: choose a folder, or give output_new_folder_name to create one")
        if settings.sample in ("photo-uploads", "house-prices") and not settings.table_managed_folder:
            mistakes.append(f"table_managed_folder: choose a folder for the table of {settings.sample}")
        if mistakes:
            raise UserError("; ".join(mistakes))
        return settings
