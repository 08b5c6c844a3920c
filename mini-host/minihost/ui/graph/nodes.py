"""Every node of a flow with what is said about it, for the picture and for the list alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from minihost.projects.flow_graph import Edge, FlowGraph, Node
from minihost.ui.graph.icons import icon
from minihost.ui.graph.names import lines, shown

UNKNOWN = "checking"
"""The state of a step that nobody has looked at yet."""

STATES = ("up to date", "stale", "missing", "failed", "running", "waiting", "invalid", UNKNOWN)
"""The states that have a sign."""


@dataclass(frozen=True)
class ShownNode:
    """A node as people see it. `step` names the step whose state it has: itself, or its maker."""

    node: Node
    icon: str
    is_cache: bool
    step: str
    state: str
    why: str
    reads: tuple[Node, ...]
    makes: tuple[Node, ...]

    @property
    def sign(self) -> str:
        """The sign of its state, empty where it has none."""
        return (self.state if self.state in STATES else UNKNOWN).replace(" ", "-") if self.state else ""

    @property
    def key(self) -> str:
        """Its id, as an attribute can hold it."""
        return shown(self.node.id)

    @cached_property
    def title(self) -> str:
        """Its whole name."""
        return shown(self.node.name)

    @property
    def lines(self) -> list[str]:
        """Its name in at most two lines."""
        return lines(self.node.name)

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return {"model": "model folder", "cache": "cache folder"}.get(self.icon, self.node.kind)

    @cached_property
    def what(self) -> str:
        """What it is, and its name."""
        node = self.node
        is_named = node.is_step and node.component.rpartition("/")[2] != node.name
        return f"{self.kind} {shown(node.name)}" + (f" ({shown(node.component)})" if is_named else "")

    @cached_property
    def ways(self) -> str:
        """What it reads and makes; or what makes and reads it."""
        words = ("reads", "makes") if self.node.is_step else ("made by", "read by")
        both = zip(words, (self.reads, self.makes), strict=True)
        return "; ".join(f"{word} {', '.join(shown(one.name) for one in some)}" for word, some in both if some)

    @property
    def sentence(self) -> str:
        """All of it, for those who hear the picture; flow.js puts it together in the same way."""
        return ", ".join(filter(None, (self.what, self.condition))) + (f"; {self.ways}" if self.ways else "")

    @property
    def condition(self) -> str:
        """Its state and why, in words; empty for what no step makes."""
        return f"{self.state}: {shown(self.why)}" if self.state and self.why else self.state


def shown_nodes(graph: FlowGraph, states: Mapping[str, Mapping[str, Any]]) -> list[ShownNode]:
    """Return the nodes in their order. For a dataset or folder, `reads` are its makers and `makes` its readers."""
    into: dict[str, list[Edge]] = {node.id: [] for node in graph.nodes}
    out: dict[str, list[Edge]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        into[edge.target].append(edge)
        out[edge.source].append(edge)
    return [_shown(node, graph, into[node.id], out[node.id], states) for node in graph.nodes]


def _shown(
    node: Node, graph: FlowGraph, into: list[Edge], out: list[Edge], states: Mapping[str, Mapping[str, Any]]
) -> ShownNode:
    edges = [*into, *out]
    is_cache = bool(edges) and all(edge.is_cache for edge in edges)
    makers = [edge for edge in into if not edge.is_cache]
    step = node.name if node.is_step else graph.by_id[makers[0].source].name if makers else ""
    facts = states.get(step, {"state": UNKNOWN}) if step else {}
    return ShownNode(
        node=node,
        icon=icon(node, [edge.role for edge in edges], is_cache=is_cache),
        is_cache=is_cache,
        step=step,
        state=str(facts.get("state", "")),
        why=str(facts.get("why") or ""),
        reads=_ends([edge.source for edge in into], graph),
        makes=_ends([edge.target for edge in out], graph),
    )


def _ends(ids: list[str], graph: FlowGraph) -> tuple[Node, ...]:
    return tuple(graph.by_id[one] for one in dict.fromkeys(ids))
