"""`dataiku.customrecipe`: what a recipe asks about its job.

Four public plugins take `json`, `os` and `sys` from `import *`, so they are among its names.
"""

from __future__ import annotations

import copy
import json
import os
import re
import sys
from typing import Any

from minihost.dataiku_api import session
from minihost.dataiku_api.missing_names import asked_from

__all__ = [
    "get_input_names",
    "get_input_names_for_role",
    "get_output_names",
    "get_output_names_for_role",
    "get_plugin_config",
    "get_recipe_config",
    "get_recipe_resource",
    "json",
    "os",
    "sys",
]


_VARIABLE = re.compile(r"\$\{([^${}]+)\}")


def _names(references, full):
    return [reference.full_name if full else reference.name for reference in references]


def get_input_names(full=True):
    """Return the names of all inputs."""
    return _names(session.current().inputs_of(None), full)


def get_output_names(full=True):
    """Return the names of all outputs."""
    return _names(session.current().outputs_of(None), full)


def get_input_names_for_role(role, full=True):
    """Return the names of the inputs that fill a role; an empty list when none does."""
    _warn_of_role(role, "input")
    return _names(session.current().inputs_of(role), full)


def get_output_names_for_role(role, full=True):
    """Return the names of the outputs that fill a role; an empty list when none does."""
    _warn_of_role(role, "output")
    return _names(session.current().outputs_of(role), full)


def _warn_of_role(role: Any, side: str) -> None:
    """Say where a recipe asks for a role that it does not declare: the platform just answers with an empty list."""
    roles = session.current().job.descriptor.get(f"{side}Roles")
    names = [one["name"] for one in roles or [] if isinstance(one, dict) and isinstance(one.get("name"), str)]
    if names and role not in names:
        from minihost.suggestions import did_you_mean

        near = did_you_mean(str(role), names)
        print(f"warning: recipe.json has no {side} role {role!r}.{near}{asked_from()}", file=sys.stderr)


def get_recipe_config():
    """Return the parameters of the recipe; `${name}` in their texts is replaced by the variable, where there is one."""
    from minihost.dataiku_api.package_api import get_custom_variables, get_flow_variables

    return _expanded(session.current().job.config, {**get_custom_variables(), **get_flow_variables()})


def _expanded(value: Any, variables: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: str(variables.get(found[1], found[0])), value) if "${" in value else value
    if isinstance(value, list):
        return [_expanded(item, variables) for item in value]
    if isinstance(value, dict):
        return {name: _expanded(item, variables) for name, item in value.items()}
    return value


def get_plugin_config():
    """Return the settings of the plugin."""
    return copy.deepcopy(session.current().job.plugin_config)


def get_recipe_resource():
    """Return the path of the plugin's `resource` folder."""
    return os.path.join(session.current().job.plugin_root, "resource")
