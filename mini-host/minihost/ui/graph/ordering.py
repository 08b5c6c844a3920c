"""In which order the nodes of a column stand: that of flow.yaml, changed only where fewer edges cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence

SWEEPS = 12
"""How often columns are sorted by their neighbours, at most."""


Spot = str | tuple[str, int]
"""A node by its id; or a lane, (source, column): where edges pass a column. All edges from one node share its lanes."""


class Columns:
    """The spots of each column in order, and which spots of neighbouring columns an edge joins."""

    def __init__(self, nodes: Sequence[str], edges: Iterable[tuple[str, str]], column: Mapping[str, int]) -> None:
        first = min(column[node] for node in nodes)
        count = max(column[node] for node in nodes) - first + 1
        self.spots: list[list[Spot]] = [[] for _ in range(count)]
        self.before: dict[Spot, list[Spot]] = {}
        self.after: dict[Spot, list[Spot]] = {}
        targets: dict[str, list[str]] = {}
        for source, target in edges:
            targets.setdefault(source, []).append(target)
        for node in nodes:
            self._add(node, column[node] - first)
            reach = max((column[target] for target in targets.get(node, ())), default=column[node])
            for number in range(column[node] + 1, reach):
                self._add((node, number - first), number - first)
        for source, found in targets.items():
            start, reach = column[source] - first, max(column[target] for target in found) - first
            for number in range(start + 1, reach):
                self._join(self.spot(source, start, number - 1), (source, number))
            for target in found:
                self._join(self.spot(source, start, column[target] - first - 1), target)

    @staticmethod
    def spot(source: str, start: int, number: int) -> Spot:
        """Where edges from a node, itself in column `start`, are in a column."""
        return source if number == start else (source, number)

    def _add(self, spot: Spot, number: int) -> None:
        self.spots[number].append(spot)
        self.before[spot], self.after[spot] = [], []

    def _join(self, left: Spot, right: Spot) -> None:
        self.after[left].append(right)
        self.before[right].append(left)

    def untangle(self) -> None:
        """Sort each column by the middle of its neighbours, to and fro, and keep the order with fewest crossings.

        An order that is no better is not taken, so that a flow to which a step is added looks as it did.
        """
        best, fewest = [list(spots) for spots in self.spots], self.crossings()
        fruitless = 0
        for sweep in range(SWEEPS):
            if not fewest or fruitless > 3:
                break
            self._sweep(sweep % 2 == 0)
            crossings = self.crossings()
            fruitless += 1
            if crossings < fewest:
                best, fewest, fruitless = [list(spots) for spots in self.spots], crossings, 0
        self.spots = best

    def _sweep(self, is_forward: bool) -> None:
        near = self.before if is_forward else self.after
        last: dict[Spot, int] = {}
        for spots in self.spots if is_forward else self.spots[::-1]:
            middles = _middles(spots, near, last)
            spots.sort(key=lambda spot: middles[spot])  # noqa: B023 - used at once
            last = {spot: number for number, spot in enumerate(spots)}

    def crossings(self) -> int:
        """How many pairs of edges cross."""
        total = 0
        for left, right in zip(self.spots, self.spots[1:], strict=False):
            place = {spot: number for number, spot in enumerate(right)}
            seen: list[int] = []
            for spot in left:
                ends = sorted(place[other] for other in self.after[spot])
                for end in ends:
                    total += len(seen) - bisect_right(seen, end)
                for end in ends:
                    insort(seen, end)
        return total


def _middles(spots: Sequence[Spot], near: Mapping[Spot, list[Spot]], last: Mapping[Spot, int]) -> dict[Spot, float]:
    """Spot -> the mean place of its neighbours; one without any goes with the spot above it."""
    found: dict[Spot, float] = {}
    above = -1.0
    for spot in spots:
        places = [last[other] for other in near[spot]]
        above = found[spot] = sum(places) / len(places) if places else above
    return found
