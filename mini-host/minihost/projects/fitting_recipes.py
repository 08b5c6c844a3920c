"""Which recipes and macros an object of the flow can go into, each with its roles filled as far as the flow tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from minihost.parameters.forms import named
from minihost.plugins import Component, Role, host_section
from minihost.plugins.discovery import Catalogue
from minihost.plugins.foreign_kinds import why_not_run
from minihost.projects.flow_graph import PLACES, Edge, FlowGraph, Node, graph
from minihost.projects.project import DATASET, FOLDER, Project
from minihost.projects.reference_names import name_of

KINDS = {"dataset": DATASET, "folder": FOLDER}
GENERAL = {"input", "output", "managed", "folder", "dataset", "data", "main", "name", "table"}
"""Words in the name of a role that say nothing of what fills it."""

_WORD = re.compile(r"[a-z]+|[0-9]+")


@dataclass(frozen=True)
class Offer:
    """A step that could be added: what fills its roles and its macro's folders. `missing` are required roles that the
    flow has nothing for, `role` the one that the object itself fills."""

    component: Component
    role: str = ""
    inputs: dict[str, list[str]] = field(default_factory=dict)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    creates: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    fit: int = 0
    """How surely the object is meant for the role; offers are sorted by it."""


def offers(project: Project, catalogue: Catalogue, node: Node | None = None) -> list[Offer]:
    """Return the steps that can read an object, the likeliest first; without an object every step that there is."""
    found = graph(project, catalogue)
    chooser = _Chooser(project, found)
    candidates = (one for one in catalogue.components if one.kind in ("recipe", "macro") and not why_not_run(one))
    answers = [offer for one in candidates if (offer := chooser.offer(one, node)) is not None]
    return sorted(answers, key=lambda offer: (bool(offer.missing), -offer.fit))


class _Chooser:
    """Fills the roles of one component after another for an object of the flow."""

    def __init__(self, project: Project, found: FlowGraph) -> None:
        self.graph = found
        self.steps = {step.name: step for step in project.flow.steps}
        self.taken = {node.name for node in found.nodes if not node.is_step}
        self.taken |= {*project.names(DATASET), *project.names(FOLDER)}
        self.names = frozenset(self.taken)

    def offer(self, component: Component, node: Node | None) -> Offer | None:
        """The step of one component, None where the object fits nowhere in it."""
        if component.kind == "macro":
            return self._macro(component, node)
        role, fit = self._own_role(component, node) if node else ("", 0)
        if node and not role:
            return None
        inputs = {role: [node.name]} if node else {}
        for other in component.inputs:
            if other.name not in inputs and (ref := self._filling(other, component, inputs, node)):
                inputs[other.name] = [ref]
        inputs = {one.name: inputs[one.name] for one in component.inputs if one.name in inputs}
        missing = tuple(one.name for one in component.inputs if one.required and one.name not in inputs)
        return Offer(component, role, inputs, self._outputs(component), missing=missing, fit=fit)

    def _macro(self, component: Component, node: Node | None) -> Offer | None:
        """A macro takes an object by the parameter that its `macroRoles` name; folders it fills get a new name."""
        key = next(iter(host_section.keys_of_macro_roles(component)), "")
        used = self._used_as(node) if node else []
        types = {param["name"]: PLACES.get(str(param.get("type"))) for param in named(component.params)}
        if node is not None and (not key or types.get(key) != KINDS.get(node.kind)):
            return None
        if node is not None and _is_output(key) and self._is_written(node):
            return None
        params = {key: node.name} if node is not None else {}
        creates = [node.name] if node is not None and _is_output(key) else []
        for name, kind in types.items():
            if kind == FOLDER and name not in params and _is_output(name):
                params[name] = self._new_name(" ".join(_words(component.id) - {"vision"}) or component.id)
                creates.append(params[name])
        fit = self._rating(Role(key), used) if node else 1
        return Offer(component, key, params=params, creates=tuple(creates), fit=fit)

    def _own_role(self, component: Component, node: Node) -> tuple[str, int]:
        """The input role that an object fits best, and how well."""
        kind, used = KINDS.get(node.kind), self._used_as(node)
        fitting = [role for role in component.inputs if kind in _kinds(role)]
        rated = [(self._rating(role, used), -place, role) for place, role in enumerate(fitting)]
        if not rated:
            return "", 0
        rating, _place, role = max(rated, key=lambda one: one[:2])
        return role.name, rating

    def _used_as(self, node: Node) -> list[tuple[int, str]]:
        """The roles that an object has elsewhere in the flow, with their weight: as what it was made counts most."""
        edges = self.graph.edges
        made = [(3, edge.role) for edge in edges if edge.target == node.id and not edge.is_cache]
        return [*made, *((2, edge.role) for edge in edges if edge.source == node.id)]

    @staticmethod
    def _rating(role: Role, used: Iterable[tuple[int, str]]) -> int:
        alike = [2 * weight + (role.name == name) for weight, name in used if _words(name) & _words(role.name)]
        return max(alike, default=0) or int(role.required)

    def _filling(self, role: Role, component: Component, inputs: dict[str, list[str]], node: Node | None) -> str | None:
        """What fills another input role: what the object's maker read by that name, or what the flow made for it."""
        given = {ref for refs in inputs.values() for ref in refs}
        makers = self.graph.makers(node.id) if node is not None else []
        if makers and node is not None and node.kind == "folder" and role.required and len(self._unread(role)) == 1:
            return self._unread(role)[0]  # a model that was made from some pictures is for others
        for maker in makers:
            for name, ref in self.steps[maker.name].inputs:
                if name == role.name:
                    return ref
        made = [
            edge.target
            for edge in self.graph.edges
            if not edge.is_cache
            and _words(edge.role) & _words(role.name)
            and KINDS.get(self.graph.by_id[edge.target].kind) in _kinds(role)
            and (_companions(role, component) or self._agrees(edge, inputs))
        ]
        candidates = [ref for one in dict.fromkeys(made) if (ref := self.graph.by_id[one].name) not in given]
        if candidates:
            return candidates[-1]
        return self._companion(role, component, inputs) or (self._only_left(role, given) if role.required else None)

    def _companion(self, role: Role, component: Component, inputs: dict[str, list[str]]) -> str | None:
        """For `checked_folder` beside a filled `checked_dataset`: the folder that this dataset was made from."""
        for other in _companions(role, component):
            for maker in self.graph.makers(f"dataset:{inputs[other.name][0]}") if other.name in inputs else ():
                read = [self.graph.by_id[edge.source] for edge in self.graph.edges if edge.target == maker.id]
                return next((one.name for one in read if KINDS.get(one.kind) in _kinds(role)), None)
        return None

    def _agrees(self, edge: Edge, inputs: dict[str, list[str]]) -> bool:
        """Whether a table was made from what fills the other roles here; a folder, such as a model, is for all."""
        step = self.steps.get(self.graph.by_id[edge.source].name)
        if step is None or self.graph.by_id[edge.target].kind == "folder":
            return True
        return all(ref in inputs[role] for role, ref in step.inputs if role in inputs)

    def _only_left(self, role: Role, given: set[str]) -> str | None:
        """The one object of the role's kind that no step made, or the one of these that no step reads yet."""
        fitting = [name for name in self._sources(role) if name not in given]
        chosen = fitting if len(fitting) == 1 else [name for name in self._unread(role) if name not in given]
        return chosen[0] if len(chosen) == 1 else None

    def _sources(self, role: Role) -> list[str]:
        """The objects of a role's kind that no step made."""
        nodes = (node for node in self.graph.nodes if KINDS.get(node.kind) in _kinds(role))
        return [node.name for node in nodes if not self._is_written(node)]

    def _unread(self, role: Role) -> list[str]:
        """The objects of a role's kind that no step made or that a macro fills, and that no step reads yet."""
        nodes = (node for node in self.graph.nodes if KINDS.get(node.kind) in _kinds(role))
        raw = (node for node in nodes if all(maker.kind == "macro" for maker in self.graph.makers(node.id)))
        return [node.name for node in raw if not self._is_cache(node) and not self.graph.readers(node.id)]

    def _is_cache(self, node: Node) -> bool:
        return any(edge.target == node.id and edge.is_cache for edge in self.graph.edges)

    def _is_written(self, node: Node) -> bool:
        return any(edge.target == node.id for edge in self.graph.edges)

    def _outputs(self, component: Component) -> dict[str, list[str]]:
        """New names for all outputs; steps share a cache."""
        found: dict[str, list[str]] = {}
        for role in component.outputs:
            if _kinds(role):
                name = self._shared_cache(role) if role.is_cache else self._output_name(role, component)
                found[role.name] = [name]
                self.taken.add(name)
        self.taken -= {ref for refs in found.values() for ref in refs} - self.names
        return found

    def _shared_cache(self, role: Role) -> str:
        """The cache that other steps of the flow use already, or a name for a new one."""
        shared = [edge.target for edge in self.graph.edges if edge.is_cache and edge.role == role.name]
        return self.graph.by_id[shared[0]].name if shared else self._new_name(role.name)

    def _output_name(self, role: Role, component: Component) -> str:
        """A new name after the role, `scored` or `scored_2`; after the component too where a folder is called like a
        dataset, or the other way round."""
        stem = self._stem(role.name)
        alike = [node for node in self.graph.nodes if node.name == stem and not node.is_step]
        if alike and KINDS[alike[0].kind] not in _kinds(role):
            stem = f"{_WORD.findall(component.id.lower())[-1]}_{stem}"
        return self._new_name(stem)

    @staticmethod
    def _stem(words: str) -> str:
        own = [word for word in _WORD.findall(words.lower()) if word not in GENERAL]
        return "_".join(own) or name_of(words.replace(" ", "_"))

    def _new_name(self, words: str) -> str:
        stem = self._stem(words)
        name, number = stem, 2
        while name in self.taken:
            name, number = f"{stem}_{number}", number + 1
        return name


def _is_output(name: str) -> bool:
    return "output" in _WORD.findall(name.lower())


def _companions(role: Role, component: Component) -> list[Role]:
    """The input roles about the same thing in another form, such as `checked_dataset` of `checked_folder`."""
    return [one for one in component.inputs if _words(one.name) == _words(role.name) and _kinds(one) != _kinds(role)]


def _kinds(role: Role) -> set[str]:
    kinds = ((DATASET, role.accepts_dataset), (FOLDER, role.accepts_folder))
    return {kind for kind, accepted in kinds if accepted}


def _words(name: str) -> set[str]:
    """The words of a role's name that say something; `judged_dataset` -> `judged`."""
    return {word for word in _WORD.findall(name.lower()) if word not in GENERAL}
