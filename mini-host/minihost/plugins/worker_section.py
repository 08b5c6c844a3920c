"""The section `minihost.workers` of a recipe: how processes share its input folder, and how parts are joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from minihost.parameters.forms import named
from minihost.plugins import Component, Plugin, Role
from minihost.plugins.host_section import KEY, section
from minihost.suggestions import did_you_mean

NAME = "workers"
PARAMETERS = ("shard", "shards")
"""The parameters that say which slice of the folder a run takes: shard i of n holds the paths whose CRC-32 (of the path
as the folder lists it, in UTF-8) leaves i - 1 when it is divided by n."""


@dataclass(frozen=True)
class PartRole:
    """The roles of the merging recipe for one output: the input that takes the parts, the output that is the whole."""

    parts: str
    merged: str


@dataclass(frozen=True)
class WorkerSection:
    """How a recipe is shared out.

    `folder` is the input role whose files are shared. Either `merge` is the recipe that joins the outputs in `parts`
    (output role -> roles of that recipe), or `cache` is the output role that the shards fill, so that the recipe itself
    has little left to do.
    """

    folder: str
    merge: str = ""
    parts: Mapping[str, PartRole] = field(default_factory=dict)
    cache: str = ""


def read(component: Component) -> WorkerSection | None:
    """Read the section of a component; None where it has none that can be used."""
    found = section(component.descriptor).get(NAME)
    if component.kind != "recipe" or not isinstance(found, dict):
        return None
    folder, merge, cache = (found.get(key) or "" for key in ("folder", "merge", "cache"))
    parts = found.get("parts") or {}
    texts = [folder, merge, cache]
    if isinstance(parts, dict):
        texts += [one.get(key) for one in parts.values() if isinstance(one, dict) for key in ("parts", "merged")]
    is_whole = isinstance(parts, dict) and len(texts) == 3 + 2 * len(parts) and bool(merge and parts) != bool(cache)
    if not folder or not is_whole or not all(isinstance(text, str) for text in texts):
        return None
    return WorkerSection(
        folder, merge, {role: PartRole(one["parts"], one["merged"]) for role, one in parts.items()}, cache
    )


def only_fills_cache(descriptor: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Whether a run puts the results of one shard into a cache, so that it has no other output to write."""
    found = section(descriptor).get(NAME)
    shards = config.get(PARAMETERS[1], 1)
    return isinstance(found, dict) and bool(found.get("cache")) and isinstance(shards, int) and shards > 1


def mistakes(component: Component, plugin: Plugin) -> Iterator[str]:
    """Say what is wrong with the section of a component, beyond its schema."""
    if NAME not in section(component.descriptor):
        return
    where = f"{KEY} > {NAME}"
    found = read(component)
    if found is None:
        yield f"{where}: a recipe has `folder`, and either `merge` with `parts`, or `cache`"
        return
    yield from _without_role(f"{where} > folder", found.folder, "input", component.inputs)
    declared = [param["name"] for param in named(component.params)]
    yield from (f"{where}: the parameter {name!r} is missing" for name in PARAMETERS if name not in declared)
    if found.cache:
        yield from _without_role(f"{where} > cache", found.cache, "output", component.outputs)
        if any(role.name == found.cache and not role.is_cache for role in component.outputs):
            yield f"{where} > cache: the role {found.cache!r} is no cache"
        return
    merging = recipe(plugin, found.merge)
    if merging is None:
        near = did_you_mean(found.merge, [one.id for one in plugin.components if one.kind == "recipe"])
        yield f"{where} > merge: there is no recipe {found.merge!r} in this plugin.{near}"
        return
    yield from _without_role(f"{where} > folder: {merging.id}", found.folder, "input", merging.inputs)
    for role, one in found.parts.items():
        yield from _without_role(f"{where} > parts", role, "output", component.outputs)
        yield from _without_role(f"{where} > parts > {role}: {merging.id}", one.parts, "input", merging.inputs)
        yield from _without_role(f"{where} > parts > {role}: {merging.id}", one.merged, "output", merging.outputs)
        if any(given.name == one.parts and not given.many for given in merging.inputs):
            yield f"{where} > parts > {role}: {merging.id}: the role {one.parts!r} takes one thing, not several"


def recipe(plugin: Plugin, name: str) -> Component | None:
    """Return a recipe of a plugin by its id, None where it has none."""
    return next((one for one in plugin.components if one.kind == "recipe" and one.id == name), None)


def _without_role(where: str, name: str, side: str, roles: tuple[Role, ...]) -> Iterator[str]:
    if name not in [role.name for role in roles]:
        yield f"{where}: there is no {side} role {name!r}.{did_you_mean(name, [role.name for role in roles])}"
