"""What a person can do after a run that went well: the page that it wrote, commands to go on with."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from minihost.datasets.sql import guarded, without_secrets
from minihost.plugins import host_section
from minihost.runs.progress import harmless, shown

if TYPE_CHECKING:
    from minihost.job import Reference
    from minihost.projects.planning import Plan, Request


def next_steps(planned: Plan, request: Request, options: str, created: Sequence[Reference] = ()) -> Iterator[str]:
    """Yield the lines for the page that a run wrote and for the commands that the component declares.

    `options` are those that a further command needs as this one did. `created` is what the component made itself: the
    folder of a macro then counts as given.
    """
    section = host_section.read(planned.component)
    job = planned.job
    places = {one.role: one.path for one in (*job.inputs, *job.outputs, *job.others) if one.role}
    page = host_section.filled(section.page, places)
    if page and Path(page).is_file():
        yield f"Report: {harmless(shown(page))}"
    for command in next_commands(planned, request, options, created):
        yield f"Next: {command}"


def next_commands(planned: Plan, request: Request, options: str, created: Sequence[Reference] = ()) -> Iterator[str]:
    """Yield the commands that the component declares, as far as what they name was given."""
    given = {name: text for name, text in _given(request).items() if text not in planned.job.secrets}
    if len(created) == 1:
        for key in host_section.keys_of_macro_roles(planned.component)[:1]:
            given.setdefault(key, created[0].name)
    for template in host_section.read(planned.component).next:
        command = host_section.filled(template, {name: shlex.quote(text) for name, text in given.items()})
        if command is not None:
            yield f"{harmless(_sparing(command, request))}{options}"


def _sparing(command: str, request: Request) -> str:
    """The command with another name for an output that has the name of an input of this run: it would be lost."""
    read = {os.path.normpath(text) for _role, text in request.inputs}
    words = shlex.split(command)
    for place in [place for place in range(1, len(words)) if words[place - 1] == "-o"]:
        role, _, path = words[place].partition("=")
        if os.path.normpath(path) in read:
            stem, dot, ending = path.rpartition(".")
            other = f"{stem}_new.{ending}" if dot and "/" not in ending else f"{path}_new"
            command = command.replace(f"-o {role}={shlex.quote(path)}", f"-o {role}={shlex.quote(other)}")
    return command


def _given(request: Request) -> dict[str, str]:
    """Roles and parameters that one text fills, as the user gave it; a password in the URL of a database is `*****`."""
    pairs = [(name, without_secrets(guarded(text))) for name, text in (*request.inputs, *request.outputs)]
    names = [name for name, _text in pairs]
    values = {name: value for name, value in request.params.values.items() if isinstance(value, str)}
    given = values | dict(request.params.texts) | {name: text for name, text in pairs if names.count(name) == 1}
    return {name: text for name, text in given.items() if text}
