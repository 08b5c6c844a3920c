"""The section `minihost` of a descriptor: what a component says to this host alone. DSS ignores it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from minihost.parameters.forms import named
from minihost.plugins import Component, Plugin
from minihost.suggestions import did_you_mean

KEY = "minihost"
COMMANDS = {"recipe": "run", "macro": "run", "webapp": "webapp"}
"""Kind of component -> the command that starts it."""

_PLACEHOLDER = re.compile(r"\{(\w[\w .-]*)\}")
_OTHERS = ("--workers", "--shards")
"""Further options of a command, which take any text."""
_FLAGS = {"-i": "input role", "-o": "output role", "-p": "parameter"}


@dataclass(frozen=True)
class HostSection:
    """A command line to start from, commands to go on with after a run, and a page that the run writes.

    `{role}` or `{parameter}` in the latter two stands for what fills it.
    """

    example: str = ""
    next: tuple[str, ...] = ()
    page: str = ""


def section(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section of a component's or role's descriptor as it stands; empty where it is no object."""
    found = descriptor.get(KEY)
    return found if isinstance(found, dict) else {}


def read(component: Component) -> HostSection:
    """Read the section of a component; what has a wrong type in it is left out."""
    found = section(component.descriptor)
    example, commands, page = (found.get(key) for key in ("example", "next", "page"))
    return HostSection(
        example=example if isinstance(example, str) else "",
        next=tuple(item for item in commands if isinstance(item, str)) if isinstance(commands, list) else (),
        page=page if isinstance(page, str) else "",
    )


def keys_of_macro_roles(component: Component) -> list[str]:
    """Return the parameters of a macro that take the thing in the Flow that it is started from."""
    roles = component.descriptor.get("macroRoles")
    found = [role.get("targetParamsKey") for role in roles if isinstance(role, dict)] if isinstance(roles, list) else []
    return [key for key in found if isinstance(key, str)]


def filled(template: str, values: Mapping[str, str]) -> str | None:
    """Put values in the place of `{name}`; None where one has no value."""
    if any(name not in values for name in _PLACEHOLDER.findall(template)):
        return None
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], template)


def mistakes(component: Component, plugin: Plugin) -> Iterator[str]:
    """Say what is wrong with the sections of a component and its roles, beyond their schema."""
    found = read(component)
    names = [role.name for role in (*component.inputs, *component.outputs)]
    names += [param["name"] for param in named(component.params)]
    for template in (*found.next, found.page):
        for name in _PLACEHOLDER.findall(template):
            if name not in names:
                yield f"{KEY}: {{{name}}} is no role and no parameter.{did_you_mean(name, names)}"
    for command in found.next:
        yield from mistakes_of_command(command, plugin, f"{KEY} > next")
    if found.example:
        yield from mistakes_of_command(found.example, plugin, f"{KEY} > example")
        if _words(found.example)[1:3] != [COMMANDS[component.kind], component.id]:
            yield f"{KEY} > example: it must begin with `minihost {COMMANDS[component.kind]} {component.id}`"
        yield from (f"{KEY} > example: the role {name!r} is empty" for name in _empty_roles(component, found.example))
    yield from _mistakes_of_roles(component)


def _mistakes_of_roles(component: Component) -> Iterator[str]:
    for side in ("inputRoles", "outputRoles"):
        roles = component.descriptor.get(side)
        for role in roles if isinstance(roles, list) else ():
            if not isinstance(role, dict) or KEY not in role:
                continue
            if side == "inputRoles" or not role.get("acceptsManagedFolder") or role.get("acceptsDataset", True):
                yield f"role {role.get('name')!r}: {KEY}: only an output role for folders can be a cache"


def mistakes_of_command(command: str, plugin: Plugin, where: str) -> Iterator[str]:
    """Say what is wrong with a command line: with names too, where it starts a component of the same plugin."""
    words = _words(command)
    if words[:1] != ["minihost"] or len(words) < 2:
        yield f"{where}: {command!r} is no command of minihost"
        return
    if words[1] not in COMMANDS.values():
        return
    target = next((one for one in plugin.components if words[2:3] and words[2] in (one.id, one.full_id)), None)
    if target is None:
        if "/" not in "".join(words[2:3]):
            near = did_you_mean("".join(words[2:3]), [one.id for one in plugin.components])
            yield f"{where}: there is no component {''.join(words[2:3])!r} in this plugin.{near}"
        return
    known = {
        "-i": [role.name for role in target.inputs],
        "-o": [role.name for role in target.outputs],
        "-p": [param["name"] for param in named(target.params)],
    }
    for flag, text in zip(words[3::2], [*words[4::2], ""], strict=False):
        if flag in _OTHERS and text:
            continue
        name = text.partition("=")[0].partition(".")[0] if flag == "-p" else text.partition("=")[0]
        if flag not in known or "=" not in text:
            yield f"{where}: {flag} {text}: only -i ROLE=REF, -o ROLE=REF and -p NAME=VALUE are expected"
        elif name not in known[flag]:
            yield f"{where}: {target.id} has no {_FLAGS[flag]} {name!r}.{did_you_mean(name, known[flag])}"


def _empty_roles(component: Component, command: str) -> list[str]:
    """The required roles that a command line leaves empty."""
    given = {word.partition("=")[0] for word in _words(command)}
    roles = (*component.inputs, *component.outputs)
    return [role.name for role in roles if role.required and role.name not in given]


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return []
