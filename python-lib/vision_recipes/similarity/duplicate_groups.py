"""The groups of copies among all pictures, as rows of a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.images.picture_size import pixel_count
from vision_recipes.rows import rounded
from vision_recipes.similarity.copies import EXACT, NEAR, SAME_VECTOR, SINGLE, Comparison, Match, Pairs
from vision_recipes.similarity.groups import Membership, group
from vision_recipes.similarity.search import Searched
from vision_recipes.wording import counted


@dataclass(frozen=True)
class DuplicateGroups:
    """The membership of each row of a comparison, and all pairs of copies that were found."""

    comparison: Comparison
    members: list[Membership]
    pairs: Pairs

    def summary(self) -> str:
        """Return how many copies there are, in words."""
        kinds = self.kinds()
        named = ", ".join(f"{kind} {kinds[kind]}" for kind in (EXACT, NEAR, SAME_VECTOR) if kinds[kind])
        among = counted(len(self.comparison.sets[0]), "picture")
        return f"{counted(kinds.total(), 'copy', 'copies')} among {among}" + (f": {named}" if named else "")

    def kinds(self) -> Counter[str]:
        """Return how many pictures of the first set are copies, by what makes them that."""
        return Counter(member.match.kind for member in self.members if member.match)

    def name_of(self, row: int) -> str:
        """Return the name of the group of a representative: its path, with the other set's name if it is there."""
        one, place = self.comparison.place(row)
        return one.paths[place] if one is self.comparison.sets[0] else f"{one.name}:{one.paths[place]}"

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row (report_columns.GROUPED) per picture of the first set."""
        pictures = self.comparison.sets[0]
        sizes = Counter(member.representative for member in self.members)
        kinds: dict[int, set[str]] = {}
        for member in self.members:
            if member.match:
                kinds.setdefault(member.representative, set()).add(member.match.kind)
        for path, member in zip(pictures.paths, self.members, strict=False):
            one, place = self.comparison.place(member.representative)
            among = kinds.get(member.representative, {SINGLE})
            kind = (
                member.match.kind if member.match else next(k for k in (NEAR, EXACT, SAME_VECTOR, SINGLE) if k in among)
            )
            yield {
                "images": path,
                "group": self.name_of(member.representative),
                "size": sizes[member.representative],
                "kind": kind,
                "representative": one.paths[place],
                "in_other": int(one is not pictures),
                "agreement": rounded(member.match.agreement) if member.match else None,
                "keep": int(member.match is None),
                "decision": "drop" if member.match else "",
                "error": 0,
                "reason": "",
            }
        for path, reason in pictures.rejected:
            empty = dict.fromkeys(("group", "size", "kind", "representative", "in_other", "agreement", "keep"))
            yield {"images": path, **empty, "decision": "", "error": 1, "reason": reason}


def find_groups(searched: Searched, proposed: tuple[np.ndarray, np.ndarray]) -> DuplicateGroups:
    """Return the groups among the pictures of all sets.

    Of a group, the picture with the most pixels is kept, of several the one whose file is largest, then the one with
    the first path; a picture of the second set always comes before those of the first.
    """
    comparison = Comparison(searched.sets, searched.units, searched.codes)
    pairs = comparison.copies(*searched.proposals(proposed, comparison))
    first = len(searched.sets[0])
    involved = {row for pair in pairs for row in pair}
    quality = {row: _quality(comparison, row) for row in involved}
    worst = (0, 0)

    def rank(row: int) -> tuple[bool, int, int, str, int]:
        pixels, size = quality.get(row, worst)
        one, place = comparison.place(row)
        return row < first, -pixels, -size, one.paths[place], row

    def confirm(one: int, other: int) -> Match | None:
        found = comparison.copies(np.array([one]), np.array([other]))
        return next(iter(found.values()), None)

    order = sorted(range(len(comparison)), key=rank)
    return DuplicateGroups(comparison, group(pairs, order, first, confirm), pairs)


def _quality(comparison: Comparison, row: int) -> tuple[int, int]:
    """Return the pixels and the bytes of a picture, 0 where they are not known."""
    one, place = comparison.place(row)
    if one.store is None or not one.digests[place]:
        return 0, 0
    path = one.files[place]
    return pixel_count(one.store, path), one.store.size(path) or 0
