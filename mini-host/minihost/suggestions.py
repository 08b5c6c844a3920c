"""Answers "did you mean": the known names nearest to a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

CLEARLY = 0.1
"""How much nearer (0 to 1) a name must be than another to be the only suggestion."""


def did_you_mean(wrong: str, names: Iterable[str], folder: str = "") -> str:
    """Answer ` Did you mean 'x'?` with a leading space, or an empty text when nothing is near.

    `folder` is put before what is suggested: the names are those of files in it.
    """
    near = nearest(wrong, names)
    return f" Did you mean {' or '.join(repr(folder + name) for name in near)}?" if near else ""


def nearest(wrong: str, names: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Answer the names nearest to a wrong one, at most two: a second only where it is about as near as the first.

    `cutoff` (0 to 1) is how much alike they are at least.
    """
    by_folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(wrong.casefold(), by_folded, n=2, cutoff=cutoff)
    if len(near) == 2 and _likeness(wrong, near[0]) - _likeness(wrong, near[1]) > CLEARLY:
        near = near[:1]
    if not near:
        near = [folded for folded in by_folded if len(wrong) >= 3 and wrong.casefold() in folded][:2]
    return [by_folded[folded] for folded in near]


def _likeness(wrong: str, folded: str) -> float:
    return difflib.SequenceMatcher(None, folded, wrong.casefold()).ratio()


def one_of(names: Iterable[str]) -> str:
    """Answer the names as a text for messages, `none` when there are none."""
    return ", ".join(sorted(names)) or "none"
