"""Groups of copies: one representative each, of which every other picture of the group is a copy itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vision_recipes.similarity.copies import Match, Pairs


@dataclass(frozen=True)
class Membership:
    """The representative of a picture's group, by its row, and what makes the picture its copy; None for itself."""

    representative: int
    match: Match | None


def group(
    pairs: Pairs, order: Sequence[int], fixed: int, confirm: Callable[[int, int], Match | None]
) -> list[Membership]:
    """Return the membership of each row; `order` lists all rows, those that should rather be kept first.

    A picture joins the first representative that it is a copy of. Copies of a copy do not join for that alone, so that
    no chain of small changes ends in a group of unlike pictures: `confirm` compares them with the representative. Rows
    from `fixed` on are representatives whatever they are copies of.
    """
    linked = defaultdict[int, list[int]](list)
    for one, other in pairs:
        linked[one].append(other)
        linked[other].append(one)
    places = np.empty(len(order), np.int64)
    places[np.asarray(order)] = np.arange(len(order))
    members: dict[int, Membership] = {row: Membership(row, None) for row in range(fixed, len(order))}
    for row in order:
        copies = sorted(linked[row], key=places.__getitem__)
        if row not in members:
            members[row] = _joined(row, copies, members, pairs, confirm) or Membership(row, None)
        if members[row].representative == row:
            for copy in copies:
                members.setdefault(copy, Membership(row, pairs[_key(row, copy)]))
    return [members[row] for row in range(len(order))]


def _joined(
    row: int,
    copies: Sequence[int],
    members: dict[int, Membership],
    pairs: Pairs,
    confirm: Callable[[int, int], Match | None],
) -> Membership | None:
    """Return the membership in the group of one of a row's copies, if the row is a copy of its representative too."""
    for representative in dict.fromkeys(members[copy].representative for copy in copies if copy in members):
        match = pairs.get(_key(row, representative)) or confirm(row, representative)
        if match is not None:
            return Membership(representative, match)
    return None


def _key(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
