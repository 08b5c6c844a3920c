"""How high each spot of a column stands: level with its neighbours where it can be, none over another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import floor, inf
from statistics import median

from minihost.ui.graph.ordering import Columns, Spot

SWEEPS = 8
LANE, NODE, LONE = 6.0, 1.0, 0.2
"""How strongly a lane, a node, and a node without neighbours on that side, hold their place."""


def heights(columns: Columns, apart: Callable[[Spot, Spot], float]) -> dict[Spot, int]:
    """Return spot -> y, whole numbers. `apart` is the least distance between a spot and the one below it."""
    gaps = [_offsets(spots, apart) for spots in columns.spots]
    found: dict[Spot, float] = {}
    for spots, offsets in zip(columns.spots, gaps, strict=True):
        found |= {spot: offset - offsets[-1] / 2 for spot, offset in zip(spots, offsets, strict=True)}
    order = list(zip(columns.spots, gaps, strict=True))
    for sweep in range(SWEEPS):
        is_forward = sweep % 2 == 0
        near = [columns.before, columns.after]
        if sweep < SWEEPS - 2:
            near = near[:1] if is_forward else near[1:]
        for spots, offsets in order if is_forward else order[::-1]:
            _level(spots, offsets, near, found)
    _straighten(columns, apart, found)
    return {spot: floor(y + 0.5) for spot, y in found.items()}


def _straighten(columns: Columns, apart: Callable[[Spot, Spot], float], found: dict[Spot, float]) -> None:
    """Bring what follows each other without a fork to one height, as far as there is room."""
    above: dict[Spot, Spot] = {}
    below: dict[Spot, Spot] = {}
    for spots in columns.spots:
        above |= zip(spots[1:], spots, strict=False)
        below |= zip(spots, spots[1:], strict=False)

    def room(spot: Spot) -> tuple[float, float]:
        upper, lower = above.get(spot), below.get(spot)
        least = found[upper] + apart(upper, spot) if upper is not None else -inf
        most = found[lower] - apart(spot, lower) if lower is not None else inf
        return least, most

    runs = _runs(columns)
    for down in (1, -1):  # from the top, then from the bottom: each makes room for the next
        for run in sorted(runs, key=lambda one: (-len(one), down * found[one[0]])):
            _flatten(run, room, found)


def _flatten(run: list[Spot], room: Callable[[Spot], tuple[float, float]], found: dict[Spot, float]) -> None:
    """Bring a run to one height, or parts of it where there is no room for the whole."""
    while run:
        least, most, count = -inf, inf, 0
        for spot in run:
            bounds = room(spot)
            if max(least, bounds[0]) > min(most, bounds[1]):
                break
            least, most, count = max(least, bounds[0]), min(most, bounds[1]), count + 1
        count = max(count, 1)
        level = min(max(median(found[spot] for spot in run[:count]), least), most)
        found |= dict.fromkeys(run[:count], level)
        run = run[count:]


def _runs(columns: Columns) -> list[list[Spot]]:
    """Spots that follow each other: lanes of one node, and neighbours that have only each other on that side."""
    follower: dict[Spot, Spot] = {}
    for spots in columns.spots:
        for spot in spots:
            after = columns.after[spot]
            lanes = [other for other in after if isinstance(other, tuple)]
            if isinstance(spot, tuple) and lanes:
                follower[spot] = lanes[0]
            elif len(after) == 1 and len(columns.before[after[0]]) == 1:
                follower[spot] = after[0]
    followers = set(follower.values())
    starts = [spot for spots in columns.spots for spot in spots if spot not in followers]
    runs = []
    for start in starts:
        run = [start]
        while run[-1] in follower:
            run.append(follower[run[-1]])
        if len(run) > 1:
            runs.append(run)
    return runs


def _offsets(spots: Sequence[Spot], apart: Callable[[Spot, Spot], float]) -> list[float]:
    offsets = [0.0]
    for above, below in zip(spots, spots[1:], strict=False):
        offsets.append(offsets[-1] + apart(above, below))
    return offsets


def _level(
    spots: Sequence[Spot],
    offsets: Sequence[float],
    near: Sequence[Mapping[Spot, list[Spot]]],
    found: dict[Spot, float],
) -> None:
    """Move each spot of a column to the middle of its neighbours, as far as order and distances allow."""
    wishes, weights = [], []
    for spot, offset in zip(spots, offsets, strict=True):
        heights = [found[other] for side in near for other in side[spot]]
        wishes.append((median(heights) if heights else found[spot]) - offset)
        weights.append((LANE if isinstance(spot, tuple) else NODE) if heights else LONE)
    for spot, offset, value in zip(spots, offsets, rising(wishes, weights), strict=True):
        found[spot] = value + offset


def rising(wishes: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the values nearest to the wishes (weighted least squares) of which none is below the one before it."""
    blocks: list[list[float]] = []  # mean, weight, count
    for wish, weight in zip(wishes, weights, strict=True):
        blocks.append([wish, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, heavy, count = blocks.pop()
            last = blocks[-1]
            last[0] = (last[0] * last[1] + mean * heavy) / (last[1] + heavy)
            last[1] += heavy
            last[2] += count
    return [mean for mean, _weight, count in blocks for _ in range(int(count))]
