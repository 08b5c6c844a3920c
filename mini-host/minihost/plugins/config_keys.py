"""The keys of its configuration that a component's code reads, for those whose form says nothing of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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
