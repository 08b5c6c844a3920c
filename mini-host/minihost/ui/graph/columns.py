"""In which column each node stands: after everything that it needs, data and steps in columns of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush

Edge = tuple[str, str]
"""From a node to another, by their ids."""


def without_circles(nodes: Sequence[str], edges: Iterable[Edge], steps: set[str]) -> list[Edge]:
    """Return the edges without those that close a circle.

    Of two nodes that point at each other, the edge into the step goes: a step that retrains a model onto itself stands
    before the model, which others read.
    """
    every = set(edges)
    kept = [(a, b) for a, b in every if a != b and not ((b, a) in every and b in steps)]
    after: dict[str, list[str]] = {node: [] for node in nodes}
    place = {node: number for number, node in enumerate(nodes)}
    for a, b in sorted(kept, key=lambda edge: (place[edge[0]], place[edge[1]])):
        after[a].append(b)
    return _walked(nodes, after)


def _walked(nodes: Sequence[str], after: Mapping[str, list[str]]) -> list[Edge]:
    """The edges that do not lead back to where a depth-first walk came from; without recursion, for long flows."""
    is_open: dict[str, bool] = {}
    kept: list[Edge] = []
    for start in nodes:
        if start in is_open:
            continue
        is_open[start] = True
        path = [(start, iter(after[start]))]
        while path:
            node, rest = path[-1]
            following = next(rest, None)
            if following is None:
                is_open[node] = False
                path.pop()
                continue
            if not is_open.get(following):
                kept.append((node, following))
            if following not in is_open:
                is_open[following] = True
                path.append((following, iter(after[following])))
    return kept


def columns(nodes: Sequence[str], edges: Sequence[Edge], steps: set[str]) -> dict[str, int]:
    """Return node -> column: the longest way to it; steps stand in odd columns, data in even ones.

    What only waits to be read (sources, and downloads behind nothing) stands just before its first reader. `edges`
    have no circle.
    """
    before, after = _neighbours(nodes, edges)
    order = _topological(nodes, before, after)
    found: dict[str, int] = {}
    for node in order:
        found[node] = max((found[one] + 1 for one in before[node]), default=0)
        if found[node] % 2 != (node in steps):
            found[node] += 1
    _move_right(order, before, after, found)
    return found


def _move_right(
    order: Sequence[str], before: Mapping[str, list[str]], after: Mapping[str, list[str]], found: dict[str, int]
) -> None:
    """Bring sources, and chains that begin with one, to their first reader."""
    is_free: dict[str, bool] = {}
    for node in order:
        is_free[node] = all(is_free[one] and len(after[one]) == 1 for one in before[node])
    for node in reversed(order):
        if is_free[node] and after[node]:
            found[node] = min(found[one] for one in after[node]) - 1


def _neighbours(nodes: Sequence[str], edges: Sequence[Edge]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {node: [] for node in nodes}
    after: dict[str, list[str]] = {node: [] for node in nodes}
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    return before, after


def _topological(nodes: Sequence[str], before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> list[str]:
    """The nodes, each behind those before it, otherwise in the given order."""
    place = {node: number for number, node in enumerate(nodes)}
    left = {node: len(before[node]) for node in nodes}
    ready = [place[node] for node in nodes if not left[node]]
    order = []
    while ready:
        node = nodes[heappop(ready)]
        order.append(node)
        for following in after[node]:
            left[following] -= 1
            if not left[following]:
                heappush(ready, place[following])
    return order


def parts(nodes: Sequence[str], edges: Iterable[Edge]) -> list[list[str]]:
    """Return the nodes of each connected part; parts and nodes stand in the given order."""
    beside: dict[str, list[str]] = {node: [] for node in nodes}
    for a, b in edges:
        beside[a].append(b)
        beside[b].append(a)
    part_of: dict[str, int] = {}
    found: list[list[str]] = []
    for start in nodes:
        if start not in part_of:
            pending = [start]
            part_of[start] = len(found)
            found.append([])
            while pending:
                for other in beside[pending.pop()]:
                    if other not in part_of:
                        part_of[other] = part_of[start]
                        pending.append(other)
        found[part_of[start]].append(start)
    return found
