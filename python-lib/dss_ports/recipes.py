"""The parameters of a recipe, and which names fill its roles."""

from __future__ import annotations

from typing import Any

import dataiku
from dataiku.customrecipe import get_input_names_for_role, get_output_names_for_role, get_recipe_config

from vision_recipes.errors import SettingsError

PARTITION_OF_SHARD = "DKU_DST_shard"
"""The flow variable that names the partition to write, where the outputs are partitioned by a dimension `shard`."""


def params() -> dict[str, Any]:
    """Return the recipe's parameters as the host holds them; the partition `shard` of its outputs is its shard.

    Raises SettingsError for a partition that is none of the shards.
    """
    given, partition = dict(get_recipe_config()), dataiku.get_flow_variables().get(PARTITION_OF_SHARD)
    if partition is None:
        return given
    shards = str(given.get("shards", ""))
    if shards.isdecimal() and not (str(partition).isdecimal() and 1 <= int(partition) <= int(shards) > 1):
        raise SettingsError(
            "shards: the outputs are partitioned by a dimension called shard, so each partition is a shard, and this "
            f"is {partition!r} of {shards}. Set shards to how many there are, at least 2, and build partitions 1, 2 … "
            "up to that; or give the dimension another name."
        )
    return given | {"shard": partition}


def input_name(role: str) -> str | None:
    """Return the full name of what fills an input role, or None when it is empty."""
    return next(iter(get_input_names_for_role(role)), None)


def input_names(role: str) -> list[str]:
    """Return the full names of all that fill an input role, in order."""
    return list(get_input_names_for_role(role))


def output_name(role: str) -> str | None:
    """Return the full name of what fills an output role, or None when it is empty."""
    return next(iter(get_output_names_for_role(role)), None)
