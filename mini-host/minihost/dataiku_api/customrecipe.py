"""`dataiku.customrecipe`: what a recipe asks about its job."""

from __future__ import annotations

import copy
import os

from minihost.dataiku_api import session

__all__ = [
    "get_input_names",
    "get_input_names_for_role",
    "get_output_names",
    "get_output_names_for_role",
    "get_plugin_config",
    "get_recipe_config",
    "get_recipe_resource",
]


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
    return _names(session.current().inputs_of(role), full)


def get_output_names_for_role(role, full=True):
    """Return the names of the outputs that fill a role; an empty list when none does."""
    return _names(session.current().outputs_of(role), full)


def get_recipe_config():
    """Return the parameters of the recipe."""
    return copy.deepcopy(session.current().job.config)


def get_plugin_config():
    """Return the settings of the plugin."""
    return copy.deepcopy(session.current().job.plugin_config)


def get_recipe_resource():
    """Return the path of the plugin's `resource` folder."""
    return os.path.join(session.current().job.plugin_root, "resource")
