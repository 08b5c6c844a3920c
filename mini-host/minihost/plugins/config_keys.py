"""The keys of its configuration that a component's code reads, for those whose form says nothing of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minihost.plugins import Component, Plugin

ABSENT = object()
UNKNOWN = "…"
"""The sample of a key of which the code does not tell what it is."""


@dataclass
class ConfigKey:
    """One key: `name` is dotted for what lies in another.

    `default` is what the code takes without it, `ABSENT` where it names nothing; `sample` a value of a fitting type.
    `is_guarded` says that some code asks first whether the key is there.
    """

    name: str
    place: str
    default: Any = ABSENT
    sample: Any = UNKNOWN
    is_indexed: bool = False
    is_guarded: bool = False

    @property
    def is_required(self) -> bool:
        """Whether the code fails without it, as far as can be seen."""
        return self.is_indexed and not self.is_guarded


@dataclass
class ConfigKeys:
    """The keys in the order of the code, and the places where the code computes a key."""

    keys: dict[str, ConfigKey] = field(default_factory=dict)
    computed: list[str] = field(default_factory=list)

    def example(self) -> dict[str, Any]:
        """A configuration with every key: the code's own defaults, and samples to be replaced."""
        answer: dict[str, Any] = {}
        for key in self.keys.values():
            *path, last = key.name.split(".")
            node = answer
            for part in path:
                inner = node.get(part)
                node[part] = node = inner if isinstance(inner, dict) else {}
            node.setdefault(last, key.sample if key.default in (ABSENT, None) else key.default)
        return answer


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
