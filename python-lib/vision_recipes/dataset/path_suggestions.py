"""What to tell people about paths that match no picture: the nearest name, the part to cut, the folder to add."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Callable, Sequence

from vision_recipes.dataset.path_prefixes import raw_prefix
from vision_recipes.dataset.path_spelling import is_absolute, plain, quoted, without_extension
from vision_recipes.errors import listed

_NEIGHBOURS = 50
_TYPED_TOO_MUCH = 2
_LONGEST = 300
_SHOWN = 3


def nearest_path(paths: Sequence[str]) -> Callable[[str], str | None]:
    """Return a function from a path to the one of `paths` whose name is most like its name, None when none is near.

    Names are only compared with those that stand next to them when sorted, by their beginnings and by their ends.
    """
    names = [_name(path) for path in paths]
    orders = [(sorted(zip(map(turn, names), paths, strict=True)), turn) for turn in (str, _reversed)]

    def nearest(written: str) -> str | None:
        name, candidates = _name(written), dict[str, str]()
        for order, turn in orders:
            for cut in range(_TYPED_TOO_MUCH + 1):
                place = bisect_left(order, (turn(name)[: len(name) - cut], ""))
                around = order[max(0, place - _NEIGHBOURS) : place + _NEIGHBOURS]
                candidates |= {turn(key): path for key, path in reversed(around)}
        close = difflib.get_close_matches(name, list(candidates), 1)
        return candidates[close[0]] if close else None

    return nearest


def what_to_change(written: str, paths: Sequence[str]) -> str:
    """Return a sentence on how paths like `written` should read to name pictures of the folder."""
    name = _name(written)
    same = [path for path in paths if _name(path) == name]
    if len(same) > 1:
        shown = listed(map(quoted, same), _SHOWN)
        return f"Several pictures have that file name ({shown}): write the path inside the folder."
    if not same:
        near = nearest_path(paths)(written)
        if near is not None:
            return f"The nearest name is {quoted(near)}. Is it the right column and the right folder?"
        if is_absolute(written):
            return (
                f"The paths are absolute: cut {quoted(raw_prefix(written, 'name'))}, or so much of it that they begin "
                "inside the folder. Is it the right column and the right folder?"
            )
        return "Is it the right column and the right folder?"
    (path,) = same
    ours, theirs = plain(path).split("/"), plain(written).split("/")
    pairs = enumerate(zip(reversed(ours), reversed(theirs), strict=False))
    shared = next((place for place, (one, other) in pairs if one != other), min(len(ours), len(theirs)))
    if shared == len(theirs):
        return f"Write the sub-folder too, as in {quoted(path)}."
    cut = f"cut {quoted(raw_prefix(written, '/'.join(ours[len(ours) - max(1, shared) :])))} from the paths"
    if shared < len(ours):
        return f"A picture of that name is {quoted(path)}. If it is meant, {cut} and write its folder instead."
    return f"{cut.replace('cut', 'Cut', 1)}, so that they read as in {quoted(path)}."


def _name(path: str) -> str:
    return without_extension(plain(path).rpartition("/")[2].casefold())[:_LONGEST]


def _reversed(text: str) -> str:
    return text[::-1]
