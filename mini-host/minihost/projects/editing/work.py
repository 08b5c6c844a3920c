"""One edit while it is made: what the flow says, and what comes of it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from minihost.plugins.discovery import Catalogue
from minihost.projects.editing.changes import refs_of
from minihost.projects.editing.facts import Facts, Kept
from minihost.projects.editing.names import Names
from minihost.projects.flow import steps_of
from minihost.projects.project import Project


@dataclass
class Edit:
    """What a flow says after an edit. `steps` are the names of the new and changed ones; `records` are (old, new) names
    of steps that were built, `moves` (old, new) names of files in the host's folder of data."""

    facts: Facts
    summary: str = ""
    select: str = ""
    unused: list[str] = field(default_factory=list)
    steps: set[str] = field(default_factory=set)
    records: list[tuple[str, str]] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)


class Work:
    """A copy of what the flow says, in which steps that were there are `Kept`, and the edit that is made in it."""

    def __init__(self, facts: Facts, project: Project, catalogue: Catalogue) -> None:
        self.facts = copy.deepcopy(facts)
        self.before = [step.name for step in project.flow.steps]
        self.names = Names(project, catalogue)
        self.edit = Edit(self.facts)
        if self.facts.get("steps"):
            self.facts["steps"] = [Kept(step, place) for place, step in enumerate(self.facts["steps"])]

    @property
    def steps(self) -> list[Facts]:
        """The steps: a list to be changed."""
        found: list[Facts] = self.facts.get("steps") or []
        self.facts["steps"] = found
        return found

    def step(self, name: str) -> Facts:
        """The step of that name; raises `JobError` where there is none."""
        place = self.before.index(self.names.step(name))
        return next(step for step in self.steps if isinstance(step, Kept) and step.place == place)

    def insert(self, step: Facts, after: str) -> str:
        """Put a new step behind another, or at the end; return its name, of its own where it would take another's."""
        place = self.before.index(self.names.step(after)) + 1 if after else len(self.steps)
        self.steps.insert(place, step)
        names = self.step_names()
        if names[:place] + names[place + 1 :] != self.before:
            stem, number = str(step.get("name") or component_of(step).rpartition("/")[2]), 2
            while f"{stem}-{number}" in self.before:
                number += 1
            self.steps[place] = {"name": f"{stem}-{number}", **step}
        name = self.step_names()[place]
        self.edit.select = f"step:{name}"
        self.edit.steps.add(name)
        return name

    def step_names(self) -> list[str]:
        """The names of the steps as they would be read now."""
        return [step.name for step in steps_of(self.facts)]

    def keep_names(self) -> None:
        """Write out the name of each step that was there and would get another now."""
        renamed = dict(self.edit.records)
        for place, step in enumerate(self.facts.get("steps") or ()):
            if isinstance(step, Kept):
                before = self.before[step.place]
                if self.step_names()[place] != (wanted := renamed.get(before, before)):
                    step["name"] = wanted


def component_of(step: Facts) -> str:
    """The component of a step, as the step writes it."""
    return str(step["recipe" if "recipe" in step else "macro"])


def filled(roles: Any) -> Facts:
    """Roles as flow.yaml has them: a single reference as a text, and no empty roles."""
    found = {role: refs_of(refs) for role, refs in roles.items()}
    return {role: refs[0] if len(refs) == 1 else refs for role, refs in found.items() if refs}


def put(facts: Facts, key: str, value: Any) -> None:
    """Set a key, or take it out where nothing is left."""
    if value:
        facts[key] = value
    else:
        facts.pop(key, None)
