"""The page of a run: groups of copies side by side, the hardest pairs, and a search for neighbours; of bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from vision_recipes.images.reading import read
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.reports.inline_scripts import inline_json, inline_script
from vision_recipes.reports.rendering import plain, render
from vision_recipes.reports.thumbnails import Thumbnail, encode
from vision_recipes.similar_settings import SimilarSettings
from vision_recipes.similarity.copies import NEAR
from vision_recipes.similarity.duplicate_groups import DuplicateGroups
from vision_recipes.similarity.nearest import Neighbours
from vision_recipes.similarity.picture_set import PictureSet

SEARCHABLE, LISTED = 300, 6
"""How many pictures, from the first, the page can be searched for, and how many neighbours of each it shows."""

_GROUPS, _MEMBERS, _HARDEST, _THUMBNAILS = 40, 8, 24, 1000
_SIDE = 112


def render_similar_page(groups: DuplicateGroups, found: Neighbours, settings: SimilarSettings) -> bytes:
    """Return the page as UTF-8."""
    comparison = groups.comparison
    offset = int(comparison.ends[len(comparison.sets) - 1])
    shown = [[row for row in rows if row >= 0] for rows in found.rows[:, :LISTED].tolist()]
    listed = _groups(groups)
    hardest = sorted(
        (pair for pair in groups.pairs.items() if pair[1].kind == NEAR), key=lambda pair: pair[1].agreement
    )
    drawn_rows = [row for members in listed for row in members[:_MEMBERS]]
    drawn_rows += [row for pair, _ in hardest[:_HARDEST] for row in pair]
    drawn_rows += range(len(shown))
    drawn_rows += [row + offset for rows in shown for row in rows]
    thumbs = _thumbnails(groups, list(dict.fromkeys(drawn_rows))[:_THUMBNAILS])
    script = inline_script("similar.js")
    names = {row: comparison.place(row)[0].paths[comparison.place(row)[1]] for row in drawn_rows}
    neighbours = [
        [row, [[other + offset, round(float(value), 3)] for other, value in zip(rows, values, strict=False)]]
        for row, (rows, values) in enumerate(zip(shown, found.similarities.tolist(), strict=True))
    ]
    drawn = {"names": {row: plain(name) for row, name in names.items()}, "neighbours": neighbours}
    return render(
        "similar.html",
        {
            "groups": groups,
            "first": comparison.sets[0],
            "other": comparison.sets[1] if len(comparison.sets) > 1 else None,
            "kinds": groups.kinds(),
            "listed": listed,
            "most_members": _MEMBERS,
            "hardest": hardest[:_HARDEST],
            "names": names,
            "thumbs": thumbs,
            "settings": settings,
            "searchable": len(shown),
            "unusable": Counter(reason for _, reason in comparison.sets[0].rejected).most_common(),
            "script": script.text,
            "script_source": script.source,
            "data": inline_json(drawn | {"thumbs": {row: thumb.source for row, thumb in thumbs.items()}}),
        },
    )


def _groups(groups: DuplicateGroups) -> list[list[int]]:
    """Return the rows of the largest groups of at least two, the representative first."""
    members: dict[int, list[int]] = {}
    for row, member in enumerate(groups.members):
        if member.match:
            members.setdefault(member.representative, [member.representative]).append(row)
    return sorted(members.values(), key=lambda rows: (-len(rows), rows[0]))[:_GROUPS]


def _thumbnails(groups: DuplicateGroups, rows: Sequence[int]) -> dict[int, Thumbnail]:
    """Return the thumbnails of rows whose pictures can be read."""
    places: dict[int, dict[str, list[int]]] = {}
    sets = groups.comparison.sets
    for row in rows:
        one, place = groups.comparison.place(row)
        if one.store is not None and one.files[place]:
            places.setdefault(sets.index(one), {}).setdefault(one.files[place], []).append(row)
    return dict(thumb for number, files in places.items() for thumb in _of_one(sets[number], files))


def _of_one(pictures: PictureSet, files: dict[str, list[int]]) -> Iterable[tuple[int, Thumbnail]]:
    assert pictures.store is not None
    for picture in read(pictures.store, list(files), Preprocessing(_SIDE, _SIDE, resize="inside")):
        if picture.pixels is not None:
            thumb = encode(picture.pixels, picture.digest)
            yield from ((row, thumb) for row in files[picture.path])
