"""A flow as a graph: steps, and the datasets and folders that they read and make, with an edge for each reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from minihost.errors import JobError
from minihost.parameters.forms import named
from minihost.plugins import Component
from minihost.plugins.discovery import Catalogue
from minihost.projects.flow import Flow, Step
from minihost.projects.project import DATASET, FOLDER, Project
from minihost.projects.reference_names import ENDINGS

PLACES = {"DATASET": DATASET, "FOLDER": FOLDER, "MANAGED_FOLDER": FOLDER}
"""Type of a parameter that names a dataset or folder -> what it names."""


@dataclass(frozen=True)
class Node:
    """A step (`recipe`, `macro`) or what steps read and make (`folder`, `dataset`).

    `name` is the step's name, or the reference as flow.yaml writes it: a name or a path. `component` is a step's
    component as flow.yaml writes it, `label` what its plugin calls it.
    """

    kind: str
    name: str
    component: str = ""
    label: str = ""

    @property
    def is_step(self) -> bool:
        """Whether it is a step."""
        return self.kind in ("recipe", "macro")

    @property
    def id(self) -> str:
        """`step:NAME`, `folder:REF` or `dataset:REF`, unique in the graph."""
        return f"{'step' if self.is_step else self.kind}:{self.name}"


@dataclass(frozen=True)
class Edge:
    """From what is read to the step that reads it, or from a step to what it makes; `role` is a parameter of macros.

    `is_cache` marks a folder that only saves work: nothing waits for it.
    """

    source: str
    target: str
    role: str
    is_cache: bool = False


@dataclass(frozen=True)
class FlowGraph:
    """The nodes in the order of flow.yaml, declared ones that nothing uses last, and the edges between their ids."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    by_id: dict[str, Node] = field(default_factory=dict)

    def makers(self, node_id: str) -> list[Node]:
        """The steps that write an object, those that use it as a cache left out."""
        return [self.by_id[edge.source] for edge in self.edges if edge.target == node_id and not edge.is_cache]

    def readers(self, node_id: str) -> list[Node]:
        """The steps that read an object."""
        return [self.by_id[edge.target] for edge in self.edges if edge.source == node_id]


def graph(project: Project, catalogue: Catalogue) -> FlowGraph:
    """Return the graph of a project's flow; components that no plugin has count by how their references look."""
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}
    components = {step.name: _component(step, catalogue) for step in project.flow.steps}
    kinds = {**project.flow.kinds, **_certain_kinds(project.flow, components)}
    for step in project.flow.steps:
        component = components[step.name]
        node = Node(step.kind, step.name, step.component, component.label if component else step.component)
        sides = ((_read(project, step, component), True), (_written(step, component), False))
        for references, is_input in sides:
            for role, ref, kind, is_cache in references:
                thing = Node("dataset" if kinds.get(ref, kind) == DATASET else "folder", ref)
                nodes.setdefault(thing.id, thing)
                ends = (thing.id, node.id) if is_input else (node.id, thing.id)
                edges[Edge(*ends, role, is_cache)] = None
            if is_input:
                nodes[node.id] = node
    for kind, declared in (("folder", project.flow.folders), ("dataset", project.flow.datasets)):
        for name in declared:
            nodes.setdefault(f"{kind}:{name}", Node(kind, name))
    return FlowGraph(tuple(nodes.values()), tuple(edges), nodes)


def _component(step: Step, catalogue: Catalogue) -> Component | None:
    try:
        return catalogue.component(step.component, (step.kind,))
    except JobError:
        return None


Reference = tuple[str, str, str, bool]
"""Role or parameter, reference, DATASET or MANAGED_FOLDER, whether it is a cache."""


def _read(project: Project, step: Step, component: Component | None) -> Iterator[Reference]:
    accepted = {role.name: role for role in component.inputs} if component else {}
    for role, ref in step.inputs:
        yield role, ref, _kind(accepted.get(role), ref), False
    if component is not None and step.kind == "macro":
        for param in named(component.params):
            value, kind = step.params.get(param["name"]), PLACES.get(str(param.get("type")))
            if kind and isinstance(value, str) and value and value not in step.creates:
                yield param["name"], value.removeprefix(f"{project.key}."), kind, False


def _written(step: Step, component: Component | None) -> Iterator[Reference]:
    accepted = {role.name: role for role in component.outputs} if component else {}
    for role, ref in step.outputs:
        found = accepted.get(role)
        yield role, ref, _kind(found, ref), bool(found and found.is_cache)
    for ref in step.creates:
        yield "creates", ref, FOLDER, False


def _kind(role: object, ref: str) -> str:
    """What a reference is, by its role where that takes one kind only, else by its ending."""
    takes_dataset, takes_folder = getattr(role, "accepts_dataset", True), getattr(role, "accepts_folder", True)
    if takes_dataset != takes_folder:
        return DATASET if takes_dataset else FOLDER
    return DATASET if ref.lower().endswith(ENDINGS) or "::" in ref else FOLDER


def _certain_kinds(flow: Flow, components: dict[str, Component | None]) -> dict[str, str]:
    """The references whose kind is declared, or said by a role that makes them and takes one kind only."""
    found: dict[str, str] = {}
    for step in flow.steps:
        component = components[step.name]
        roles = {role.name: role for role in component.outputs} if component else {}
        for name, ref in step.outputs:
            role = roles.get(name)
            if role is not None and role.accepts_dataset != role.accepts_folder:
                found[ref] = DATASET if role.accepts_dataset else FOLDER
    return {**found, **dict.fromkeys(flow.folders, FOLDER), **dict.fromkeys(flow.datasets, DATASET)}
