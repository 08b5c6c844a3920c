"""The form of any component: its parameters, and the keys that its code reads where it draws a form of its own."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from minihost.parameters import entries
from minihost.parameters.controls import Offer
from minihost.parameters.fields import Field, fields
from minihost.parameters.forms import as_shown, named
from minihost.parameters.plain import plain
from minihost.plugins import Component, Plugin, own_forms
from minihost.plugins.config_keys import ABSENT, ConfigKey


def form_of(component: Component, plugin: Plugin, values: Mapping[str, Any], offer: Offer) -> list[Field]:
    """The fields of a component for values that were given; `offer` is asked what they have to choose from."""
    return fields(params_of(component, plugin), values, plugin.parameter_sets, offer)


def read_form(component: Component, plugin: Plugin, values: Mapping[str, Any], held: entries.Entries) -> dict[str, Any]:
    """The values that a posted form says, which was drawn for others; raises `JobError` for what is no form."""
    return entries.read(params_of(component, plugin), plain(dict(values)), held, plugin.parameter_sets)


def params_of(component: Component, plugin: Plugin) -> list[dict[str, Any]]:
    """The parameters that a component declares; where it draws its own form, also one for each key of its code."""
    declared = [param for param in component.params if isinstance(param, dict)]
    if not own_forms.has_own_form(component):
        return declared
    known = {param["name"] for param in named(declared)}
    try:
        stamp = component.runner.stat().st_mtime_ns
    except OSError:
        stamp = 0
    found = [param for param in _read_keys(_Source(component, plugin, stamp)) if param["name"] not in known]
    return [*declared, *([_HEADING] if found else []), *found]


_HEADING = {
    "type": "SEPARATOR",
    "label": "What the code reads",
    "description": "This component declares no fields of its own for these. They were found in its code; an empty one "
    "is left to the code.",
}


class _Source:
    """The code of a component, the same as long as its file is."""

    def __init__(self, component: Component, plugin: Plugin, stamp: int) -> None:
        self.component, self.plugin = component, plugin
        self.key = (str(component.runner), component.kind, stamp)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Source) and self.key == other.key


@lru_cache(maxsize=512)
def _read_keys(source: _Source) -> tuple[dict[str, Any], ...]:
    found = own_forms.read_keys(source.component, source.plugin)
    heads = list(dict.fromkeys(name.partition(".")[0] for name in found.keys))
    example = found.example()
    return tuple(
        _param(found.keys.get(head), head, example.get(head), [name for name in found.keys if name != head])
        for head in heads
    )


def _param(key: ConfigKey | None, name: str, sample: Any, others: list[str]) -> dict[str, Any]:
    """A field for a key that code reads: by the code's default, or a sample of what it takes."""
    default = key.default if key is not None and key.default is not ABSENT else None
    inside = [other.partition(".")[2] for other in others if other.startswith(f"{name}.")]
    kind = "ANY"
    if isinstance(default, bool) or sample is False:
        kind = "SELECT"
    elif isinstance(default, str):
        kind = "STRING"
    about = [f"The code takes {as_shown(default) or 'an empty text'} without it."] if default is not None else []
    about += ["The code needs it."] if key is not None and key.is_required else []
    about += [f"Read from it: {', '.join(inside)}."] if inside else []
    choices = [{"value": True, "label": "true"}, {"value": False, "label": "false"}]
    return {"name": name, "type": kind, "description": " ".join(about), "selectChoices": choices}


_TAG = re.compile(
    r"</?(a|b|br|code|div|em|font|h[1-6]|i|img|li|ol|p|pre|small|span|strong|sub|sup|table|t[rdh]|u|ul)\b[^<>]*>",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<(br|p|li|div|h[1-6]|tr)\b[^<>]*>", re.I)


def plain_text(text: str) -> str:
    """The text of a description that holds HTML, which DSS draws: without its tags, a line for each paragraph."""
    if not _TAG.search(text):
        return text
    found = html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))
    return re.sub(r"[ \t]*\n\s*", "\n", found).strip()


def find(level: list[Field], path: list[Any]) -> Field | None:
    """The field at a path: keys of fields, and between them the numbers of their groups; None where there is none."""
    groups: tuple[tuple[Field, ...], ...] = (tuple(level),)
    found: Field | None = None
    for depth, part in enumerate(path):
        if depth % 2 == 0:
            found = next((one for group in groups for one in group if one.key == part), None)
            if found is None:
                return None
        else:
            inside = found.groups if found else ()
            groups = (inside[part],) if isinstance(part, int) and 0 <= part < len(inside) else ()
    return found


def state(level: list[Field] | tuple[Field, ...]) -> dict[str, Any]:
    """What changes in a form as somebody types: which fields are visible, and what is wrong with them."""
    return {
        field.key: {"visible": field.is_visible, "mistakes": list(field.mistakes)}
        | ({"groups": [state(group) for group in field.groups]} if field.groups else {})
        for field in level
    }


def all_mistakes(level: list[Field] | tuple[Field, ...]) -> Iterator[str]:
    """Every mistake that stands beside a field."""
    for field in level:
        yield from field.mistakes
        for group in field.groups:
            yield from all_mistakes(group)
