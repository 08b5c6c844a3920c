"""Where every node of a flow stands and which way every edge goes: a layered layout from left to right.

Our own rather than `fast-sugiyama`: that one ends the whole process on an edge from a node to itself, places equal
flows differently from one process to the next, and knows neither the order of flow.yaml nor columns of steps and data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minihost.ui.graph.columns import Edge, columns, parts, without_circles
from minihost.ui.graph.heights import heights
from minihost.ui.graph.ordering import Columns, Spot

PITCH = 148
"""From one column to the next."""
HALF = 28
"""Half the height and width of a node's shape."""
LABEL = 44
"""What the name under a shape takes."""
GAP, LANE_GAP = 16, 8
MARGIN = 70
BETWEEN = 40
"""Between parts that nothing joins."""
SHELF = 8
"""Columns that such parts share a row up to, at least."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Route:
    """The way of an edge: the points that it passes, or a bow over the shapes where `is_bow`."""

    points: tuple[Point, ...]
    is_bow: bool = False


@dataclass(frozen=True)
class Layout:
    """Node -> the middle of its shape, edge -> its way, and the size of the whole."""

    width: float
    height: float
    places: dict[str, Point]
    routes: dict[Edge, Route]


def layout(nodes: Sequence[str], edges: Sequence[Edge], steps: set[str], loose: Iterable[Edge] = ()) -> Layout:
    """Place nodes, given in the order of flow.yaml. `loose` edges (to caches) are drawn, and move nothing.

    A node that has loose edges only stands beside the first of its neighbours.
    """
    loose = list(dict.fromkeys(loose))
    bound = {end for edge in edges for end in edge}
    first = {}
    for edge in loose:
        alone = [end for end in edge if end not in bound]
        if alone and alone[0] not in first:
            first[alone[0]] = edge
    kept = without_circles(nodes, [*edges, *first.values()], steps)
    column = columns(nodes, kept, steps)
    shelves = _Shelves()
    ways: dict[Edge, Route] = {}
    by_part: dict[str, list[Edge]] = {}
    found = parts(nodes, kept)
    part_of = {node: part[0] for part in found for node in part}
    for edge in kept:
        by_part.setdefault(part_of[edge[0]], []).append(edge)
    for part in found:
        ways |= _placed(part, by_part.get(part[0], []), column, shelves)
    for edge in dict.fromkeys((*edges, *loose)):
        if edge not in ways:
            ways[edge] = _bow(shelves.places[edge[0]], shelves.places[edge[1]])
    return Layout(shelves.width, shelves.height, shelves.places, ways)


class _Shelves:
    """Puts the parts of a flow beside and below each other, in their order."""

    def __init__(self) -> None:
        self.places: dict[str, Point] = {}
        self.width = self.height = 2.0 * MARGIN
        self._x = self._top = 0.0
        self._widest = SHELF

    def origin(self, count: int, height: float) -> Point:
        """Return the upper left corner for a part of so many columns and this height."""
        self._widest = max(self._widest, count)
        if self._x and self._x + count * PITCH > self._widest * PITCH:
            self._x, self._top = 0.0, self.height - 2 * MARGIN + BETWEEN
        corner = (self._x + MARGIN, self._top + MARGIN)
        self._x += count * PITCH
        self.width = max(self.width, self._x - PITCH + 2 * MARGIN)
        self.height = max(self.height, self._top + height + 2 * MARGIN)
        return corner


def _placed(part: list[str], edges: list[Edge], column: dict[str, int], shelves: _Shelves) -> dict[Edge, Route]:
    """Place the nodes of one part; return the ways of its edges."""
    spots = Columns(part, edges, column)
    spots.untangle()
    tall = heights(spots, _apart)
    top = min(y - _above(spot) for spot, y in tall.items()) + HALF
    bottom = max(y + _below(spot) for spot, y in tall.items())
    left, high = shelves.origin(len(spots.spots), bottom - top)
    start = min(column[node] for node in part)
    y_of = {spot: y - top + high for spot, y in tall.items()}
    for node in part:
        shelves.places[node] = (left + (column[node] - start) * PITCH, y_of[node])
    ways = {}
    for source, target in edges:
        lanes = [(source, number - start) for number in range(column[source] + 1, column[target])]
        points = [shelves.places[source]]
        for lane in lanes:
            x = left + lane[1] * PITCH
            points += [(x - HALF, y_of[lane]), (x + HALF, y_of[lane])]
        points.append(shelves.places[target])
        (x, y), (u, v) = points[0], points[-1]
        ways[source, target] = Route(((x + HALF, y), *points[1:-1], (u - HALF, v)))
    return ways


def _bow(start: Point, end: Point) -> Route:
    if end[0] - start[0] == PITCH:
        return Route(((start[0] + HALF, start[1]), (end[0] - HALF, end[1])))
    return Route(((start[0], start[1] - HALF), (end[0], end[1] - HALF)), is_bow=True)


def _apart(above: Spot, below: Spot) -> float:
    is_narrow = isinstance(above, tuple) or isinstance(below, tuple)
    return _below(above) + (LANE_GAP if is_narrow else GAP) + _above(below)


def _above(spot: Spot) -> float:
    return 4 if isinstance(spot, tuple) else HALF


def _below(spot: Spot) -> float:
    return 4 if isinstance(spot, tuple) else HALF + LABEL
