"""The names in a flow while it is edited: what they mean, which are free, where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from minihost.datasets.sql import is_sql
from minihost.errors import JobError
from minihost.folders import is_remote
from minihost.parameters.forms import named
from minihost.plugins import Component
from minihost.plugins.discovery import Catalogue
from minihost.projects.editing.changes import refs_of
from minihost.projects.editing.facts import Facts
from minihost.projects.flow_graph import PLACES, Node, graph
from minihost.projects.project import DATASET, FOLDER, Project
from minihost.projects.reference_names import ENDINGS, is_path
from minihost.suggestions import did_you_mean, one_of

LONGEST = 200
"""Characters that a name has at most."""


class Names:
    """Every name of a flow as it is before an edit."""

    def __init__(self, project: Project, catalogue: Catalogue) -> None:
        self.project, self.catalogue = project, catalogue
        self.graph = graph(project, catalogue)
        self.steps = {step.name: step for step in project.flow.steps}
        self.declared = {*project.flow.folders, *project.flow.datasets}
        self.used = {node.name for node in self.graph.nodes if not node.is_step}
        self.taken = self.used | {*project.names(DATASET), *project.names(FOLDER)}

    def step(self, name: str) -> str:
        """The name of a step, which may be given as `step:NAME`; raises `JobError` where there is none."""
        bare = name.removeprefix("step:")
        found = name if name in self.steps else bare
        if found not in self.steps:
            near = did_you_mean(bare, self.steps)
            raise JobError([f"There is no step {bare!r} in the flow.{near} Steps: {one_of(self.steps)}."])
        return found

    def node(self, name: str) -> Node:
        """What a name means: a step, a folder or a dataset, where needed as `step:NAME`; raises `JobError`."""
        found = [node for node in self.graph.nodes if node.name == name] or [
            node for node in self.graph.nodes if node.id == name
        ]
        if len(found) == 1:
            return found[0]
        if found:
            raise JobError([f"{name!r} may be {' or '.join(node.id for node in found)}. Say which."])
        known = {node.name for node in self.graph.nodes}
        raise JobError([f"The flow has no {name!r}.{did_you_mean(name, known)} Known: {one_of(known)}."])

    def new_step(self, name: str) -> str:
        """The name for a step, where it is one and is free; raises `JobError`."""
        if wrong := _not_a_name(name):
            raise JobError([f"{name!r:.80} cannot be the name of a step: {wrong}."])
        if name in self.steps:
            raise JobError([f"There is a step {name!r} already. Choose another name."])
        return name

    def new_object(self, name: str, *, may_be_used: bool) -> str:
        """The name for a folder or dataset; with `may_be_used` one that the flow uses without a declaration."""
        wrong = _not_a_name(name)
        if is_path(name) or is_sql(name) or is_remote(name):
            wrong = wrong or "it reads like a path"
        if wrong:
            raise JobError([f"{name!r:.80} cannot be the name of a folder or dataset: {wrong}."])
        if name in (self.declared if may_be_used else self.taken):
            raise JobError([f"There is {name!r} in the project already. Choose another name."])
        return name

    def kind_of(self, component: str) -> str:
        """Whether a component is a recipe or a macro."""
        return str(self.catalogue.component(component, ("recipe", "macro")).kind)

    def component(self, kind: str, component: str) -> Component | None:
        """A component; None where no plugin in reach has it."""
        try:
            return self.catalogue.component(component, (kind,))
        except JobError:
            return None

    def caches(self, step: str) -> frozenset[str]:
        """The output roles of a step that only save work."""
        found = self.component(self.steps[step].kind, self.steps[step].component)
        return frozenset(role.name for role in found.outputs if role.is_cache) if found else frozenset()

    def free(self, ref: str, chosen: Iterable[str] = ()) -> str:
        """The reference with a number, so that nothing is called that yet."""
        ending = next((one for one in ENDINGS if ref.lower().endswith(one)), "")
        stem = ref[: len(ref) - len(ending)].rstrip("/")
        number = 2
        while (name := f"{stem}_{number}{ref[len(ref) - len(ending) :] if ending else ''}") in {*self.taken, *chosen}:
            number += 1
        return name

    def replace_in(self, step: Facts, renamed: Mapping[str, str], sides: Iterable[str] = ("inputs", "outputs")) -> None:
        """Put other references into a step: in its roles, under `creates` and in parameters that name them."""
        for side in sides:
            if isinstance(step.get(side), dict):
                step[side] = {role: _replaced(refs, renamed) for role, refs in step[side].items()}
        created = refs_of(step.get("creates"))
        if "creates" in step:
            step["creates"] = _replaced(step["creates"], renamed)
        if isinstance(step.get("params"), dict):
            names = self._naming(step, created)
            for name, value in step["params"].items():
                if isinstance(value, str) and name in names(value):
                    bare = value.removeprefix(f"{self.project.key}.")
                    if bare in renamed:
                        step["params"][name] = value[: len(value) - len(bare)] + renamed[bare]

    def _naming(self, step: Facts, created: list[str]) -> Any:
        """Which parameters name a folder or dataset; where the plugin is not in reach, those that say what is made."""
        kind = "recipe" if "recipe" in step else "macro"
        component = self.component(kind, step[kind])
        if component is None:
            return lambda value: step["params"] if value in created else ()
        places = {param["name"] for param in named(component.params) if str(param.get("type")) in PLACES}
        return lambda value: places


def _replaced(refs: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(refs, str):
        return renamed.get(refs, refs)
    return [renamed.get(ref, ref) for ref in refs]


def _not_a_name(name: str) -> str:
    """Why a text cannot be a name; empty where it can."""
    if not name.strip():
        return "it is empty"
    if len(name) > LONGEST:
        return f"it has {len(name)} characters, and {LONGEST} are the most"
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff\u2028\u2029\x85]", name):
        return "it has control characters"
    return ""
