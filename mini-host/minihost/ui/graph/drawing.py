"""The picture of a flow: what its template needs to write the SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minihost.projects.flow_graph import FlowGraph
from minihost.ui.graph.layout import PITCH, Layout, Point, Route, layout
from minihost.ui.graph.names import shown
from minihost.ui.graph.nodes import ShownNode, shown_nodes


@dataclass(frozen=True)
class Line:
    """An edge as a path; `kind` is `flow`, `back` (against it), `cache` or `far cache`, which is seen when chosen."""

    source: str
    target: str
    path: str
    kind: str


@dataclass(frozen=True)
class Drawing:
    """The size of the picture, its edges, and its nodes with their places."""

    width: int
    height: int
    lines: tuple[Line, ...]
    nodes: tuple[tuple[ShownNode, Point], ...]

    @property
    def steps(self) -> int:
        """How many steps it shows."""
        return sum(one.node.is_step for one, _place in self.nodes)


def drawing(graph: FlowGraph, states: Mapping[str, Mapping[str, Any]]) -> Drawing:
    """Return a flow's picture; the same flow gives the same one."""
    caches = dict.fromkeys((edge.source, edge.target) for edge in graph.edges if edge.is_cache)
    edges = dict.fromkeys((edge.source, edge.target) for edge in graph.edges if not edge.is_cache)
    placed = layout(
        [node.id for node in graph.nodes],
        list(edges),
        {node.id for node in graph.nodes if node.is_step},
        loose=[edge for edge in caches if edge not in edges],
    )
    return Drawing(
        width=round(placed.width),
        height=round(placed.height),
        lines=tuple(_lines(placed, caches.keys() - edges.keys())),
        nodes=tuple((one, placed.places[one.node.id]) for one in shown_nodes(graph, states)),
    )


def _lines(placed: Layout, caches: set[tuple[str, str]]) -> list[Line]:
    found = []
    for (source, target), route in placed.routes.items():
        is_cache = (source, target) in caches
        kind = ("far cache" if route.is_bow else "cache") if is_cache else "back" if route.is_bow else "flow"
        found.append(Line(shown(source), shown(target), _path(route), kind))
    return found


def _path(route: Route) -> str:
    (x, y), *rest = route.points
    path = [f"M{x:g} {y:g}"]
    if route.is_bow:
        (u, v) = rest[0]
        top = min(y, v) - 26 - min(abs(u - x) / PITCH * 6, 30)
        return f"{path[0]}C{x:g} {top:g} {u:g} {top:g} {u:g} {v:g}"
    for u, v in rest:
        if v == y:
            path.append(f"H{u:g}")
        else:
            middle = (x + u) / 2
            path.append(f"C{middle:g} {y:g} {middle:g} {v:g} {u:g} {v:g}")
        x, y = u, v
    return "".join(path)
