"""The edits of a flow that there are, and the command line that makes each."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from minihost.lenient_json import LenientJsonError, loads

Filled = Mapping[str, Any]
"""Role -> a reference, or a list of them; an empty list for a role that nothing fills any more."""


@dataclass(frozen=True)
class Change:
    """One edit; `command` is the line that makes it."""

    @property
    def command(self) -> str:
        """The command line that makes the same edit, run in the project's folder."""
        raise NotImplementedError


@dataclass(frozen=True)
class AddStep(Change):
    """A new step at the end, or after another; `kind` is recipe or macro, empty for what the component is."""

    component: str
    kind: str = ""
    name: str = ""
    inputs: Filled = field(default_factory=dict)
    outputs: Filled = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    creates: tuple[str, ...] = ()
    partition: str = ""
    after: str = ""

    @property
    def command(self) -> str:
        """`minihost add step COMPONENT …`."""
        options = [
            ("--kind", self.kind),
            ("--name", self.name),
            ("--after", self.after),
            ("--partition", self.partition),
        ]
        return _line(
            ["add", "step"],
            [*[pair for pair in options if pair[1]], *_filled(self.inputs, self.outputs), *_params(self.params)]
            + [("--creates", ref) for ref in self.creates],
            [self.component],
        )


@dataclass(frozen=True)
class SetStep(Change):
    """Another value of what is named, all else as it is; None leaves `name`, `creates` and `partition` alone."""

    step: str
    inputs: Filled = field(default_factory=dict)
    outputs: Filled = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    name: str | None = None
    creates: tuple[str, ...] | None = None
    partition: str | None = None

    @property
    def command(self) -> str:
        """`minihost set STEP …`."""
        options = [*_filled(self.inputs, self.outputs), *_params(self.params)]
        options += [("--unset", name) for name in self.unset]
        options += [("--name", self.name)] if self.name is not None else []
        options += [("--creates", ref) for ref in (self.creates or [""])] if self.creates is not None else []
        options += [("--partition", self.partition)] if self.partition is not None else []
        return _line(["set"], options, [self.step])


@dataclass(frozen=True)
class Remove(Change):
    """Steps, folders and datasets taken out of the flow; no data is deleted. `force` leaves steps without what they
    read, so that they read what is there already."""

    names: tuple[str, ...]
    force: bool = False

    @property
    def command(self) -> str:
        """`minihost remove NAME…`."""
        return _line(["remove", *(["--force"] if self.force else [])], [], self.names)


@dataclass(frozen=True)
class CopyStep(Change):
    """A second step like another, behind it, with new names for what it makes."""

    step: str
    name: str = ""

    @property
    def command(self) -> str:
        """`minihost add copy STEP`."""
        return _line(["add", "copy"], [("--name", self.name)] if self.name else [], [self.step])


@dataclass(frozen=True)
class Rename(Change):
    """Another name for a step, a folder or a dataset, wherever it stands."""

    old: str
    new: str

    @property
    def command(self) -> str:
        """`minihost set OLD --name NEW`."""
        return _line(["set"], [("--name", self.new)], [self.old])


@dataclass(frozen=True)
class AddFolder(Change):
    """A declared folder; `options` are those of flow.yaml, among them `path`."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """`minihost add folder NAME …`."""
        return _declaration("folder", self.name, self.options)


@dataclass(frozen=True)
class AddDataset(Change):
    """A declared dataset; `options` are those of flow.yaml, among them `path`."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """`minihost add dataset NAME …`."""
        return _declaration("dataset", self.name, self.options)


@dataclass(frozen=True)
class AddPlugin(Change):
    """Another plugin folder or zip for the project."""

    path: str

    @property
    def command(self) -> str:
        """`minihost add plugin PATH`."""
        return _line(["add", "plugin"], [], [self.path])


@dataclass(frozen=True)
class Undo(Change):
    """What flow.yaml said before the last edit."""

    @property
    def command(self) -> str:
        """`minihost undo`."""
        return _line(["undo"], [], [])


def refs_of(value: Any) -> list[str]:
    """The references that fill a role: none, one, or a list of them."""
    return [value] if isinstance(value, str) else list(value or [])


def is_json(text: str) -> bool:
    """Whether a text could be read as a value in JSON."""
    try:
        loads(text)
    except LenientJsonError:
        return False
    return True


def _declaration(kind: str, name: str, options: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in options.items() if key != "path"}
    place = [str(options["path"])] if "path" in options else []
    return _line(["add", kind], _params(rest), [name, *place])


def _filled(inputs: Filled, outputs: Filled) -> list[tuple[str, str]]:
    found = []
    for flag, roles in (("-i", inputs), ("-o", outputs)):
        for role, value in roles.items():
            found += [(flag, f"{role}={ref}") for ref in refs_of(value) or [""]]
    return found


def _params(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [("-p", f"{name}{_value(value)}") for name, value in params.items()]


def _value(value: Any) -> str:
    """`=TEXT`, which is read by the parameter's type, or `:=JSON` where it could be read as anything but that text."""
    if isinstance(value, str) and value[:1].isalpha() and not is_json(value):
        return f"={value}"
    return f":={json.dumps(value, ensure_ascii=False, default=str)}"


def _line(words: Iterable[str], options: Iterable[tuple[str, str]], names: Iterable[str]) -> str:
    positional = list(names)
    bare = [word for pair in options for word in pair]
    dashes = ["--"] if any(name.startswith("-") for name in positional) else []
    parts = [*words, *bare, *dashes, *positional] if dashes else [*words, *positional, *bare]
    return " ".join(["minihost", *map(shlex.quote, parts)])
