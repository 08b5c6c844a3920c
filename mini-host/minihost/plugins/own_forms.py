"""Forms that a component draws itself: what its code reads stands in for the parameters that it does not declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minihost.plugins import Component, Plugin
from minihost.plugins.config_keys import ABSENT, ConfigKeys


def has_own_form(component: Component) -> bool:
    """Whether the form of a component says nothing of its keys: it draws its own, or there is none."""
    return "paramsTemplate" in component.descriptor or not component.params


def read_keys(component: Component, plugin: Plugin) -> ConfigKeys:
    """The keys that a component reads; empty where its code does not compile, or the host does not run it."""
    from minihost.plugins.config_reading import read_code

    return read_code(component, plugin)


def described(component: Component, plugin: Plugin) -> Mapping[str, Any] | None:
    """The facts of a form that a component draws itself; None where the descriptor declares all, or nothing is read."""
    found = read_keys(component, plugin) if has_own_form(component) else ConfigKeys()
    template = component.descriptor.get("paramsTemplate")
    if not found.keys and not template:
        return None
    keys = [
        {"name": key.name, "required": key.is_required, "place": key.place}
        | ({} if key.default is ABSENT else {"default": key.default})
        for key in found.keys.values()
    ]
    return {"template": template, "keys": keys, "computed": found.computed, "params": found.example()}
