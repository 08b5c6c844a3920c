"""The parameters of a recipe, and which names fill its roles."""

from __future__ import annotations

from typing import Any

from dataiku.customrecipe import get_input_names_for_role, get_output_names_for_role, get_recipe_config


def params() -> dict[str, Any]:
    """Return the recipe's parameters as the host holds them."""
    return dict(get_recipe_config())


def input_name(role: str) -> str | None:
    """Return the full name of what fills an input role, or None when it is empty."""
    return next(iter(get_input_names_for_role(role)), None)


def input_names(role: str) -> list[str]:
    """Return the full names of all that fill an input role, in order."""
    return list(get_input_names_for_role(role))


def output_name(role: str) -> str | None:
    """Return the full name of what fills an output role, or None when it is empty."""
    return next(iter(get_output_names_for_role(role)), None)
