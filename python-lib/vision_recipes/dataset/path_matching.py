"""The paths of a table matched with the pictures of a folder, also where they are spelled almost alike.

Exact matches come first. Relaxed ones are tried in turn, over all rows together. A relaxed match counts only where
one picture of the whole listing fits, no other row fits it, and no row names it more exactly: a row is matched with
the right picture or with none. Only paths of the listing are returned, so no path from a table is ever opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from vision_recipes.dataset.path_prefixes import Match, Prefixes, ReplacedPrefix, Rivals
from vision_recipes.dataset.path_spelling import (
    DECODED,
    PLAIN,
    Spelled,
    bare,
    caseless,
    one_name,
    plain,
    quoted,
    spellings,
    unique_keys,
)
from vision_recipes.errors import listed
from vision_recipes.wording import counted

_SHOWN = 5
_PREFIXES_SHOWN = 3
_MOST_CONTESTED = 0.1
"""A prefix is not removed when more than this fraction of its pictures fit other prefixes too (train/ and val/)."""


@dataclass
class PathMatches:
    """The picture that each path of a table means, by the path as written.

    `exact` counts the paths that are in the listing as written. `ambiguous` are those that fit several pictures, or
    whose picture other paths fit as well. `remarks` are sentences, without full stop, one for each relaxed reading.
    """

    of: dict[str, str] = field(default_factory=dict)
    exact: int = 0
    ambiguous: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def find(self, written: str | None) -> str | None:
        """Return the picture that a path means, or None."""
        return None if written is None else self.of.get(written)


def match_paths(paths: Sequence[str], written: Iterable[str | None]) -> PathMatches:
    """Return the pictures among `paths`, the folder's listing, that the paths of a table mean."""
    search = _Search(paths, [text for text in dict.fromkeys(written) if text is not None])
    search.exactly()
    search.as_spelled()
    search.with_other_prefixes()
    found = search.found
    if found.ambiguous:
        paths = counted(len(found.ambiguous), "path is", "paths are")
        found.remarks.append(
            f"{paths} not matched, because several pictures fit them, or several paths fit one picture: "
            f"{listed(map(quoted, found.ambiguous), _SHOWN)}"
        )
    return found


class _Search:
    """What is matched so far, and what is not."""

    def __init__(self, paths: Sequence[str], texts: Sequence[str]) -> None:
        self.found = PathMatches()
        self._paths, self._texts = paths, texts
        self._bare = [bare(path) for path in paths]
        self._waiting = {text: bare(text) for text in texts}
        self._taken: dict[str, set[str]] = {}

    def exactly(self) -> None:
        """Match paths that are in the listing, with or without a leading slash."""
        pictures = unique_keys(self._paths, self._bare)
        self.found.of = {text: path for text, key in self._waiting.items() if (path := pictures.get(key)) is not None}
        self.found.exact = len(self.found.of)
        for text, path in self.found.of.items():
            self._taken.setdefault(path, set()).add(one_name(text))
            del self._waiting[text]

    def as_spelled(self) -> None:
        """Match whole paths in other spellings, each more tolerant than the one before."""
        rivals = Rivals(self._paths, self._waiting)
        for spelled in spellings(self._bare, self._waiting):
            pictures = unique_keys(self._paths, spelled.keys)
            fitting = {text: Match(pictures[key]) for text, key in spelled.waiting.items() if key in pictures}
            for text in rivals.find(fitting) if spelled.place > PLAIN else ():
                fitting[text] = Match(None)
            self._settle(fitting, spelled)

    def with_other_prefixes(self) -> None:
        """Match paths that have leading folders too many, too few, or none in common with the listing's."""
        if self._waiting:
            self._prefixed(Prefixes(self._paths, self._waiting, list(self.found.of)).match)
        if not self.found.of:
            self._prefixed(ReplacedPrefix(self._texts).match)

    def _prefixed(self, match: Callable[[Sequence[str], Spelled], Mapping[str, Match]]) -> None:
        for spelled in spellings(self._bare, self._waiting, skip=DECODED):
            self._settle(match(self._paths, spelled), spelled)

    def _settle(self, fitting: Mapping[str, Match], spelled: Spelled) -> None:
        """Accept the matches whose picture is free and fits one path only; the others stay unmatched for good."""
        claims: dict[str, set[str]] = {}
        for text, match in fitting.items():
            if match.path is not None:
                claims.setdefault(match.path, set()).add(plain(text))
        accepted: dict[str, Match] = {}
        doubtful = _contested_prefixes(fitting, claims)
        twins = self._twins if spelled.place > DECODED else set[str]()
        for text, match in fitting.items():
            del self._waiting[text]
            path = match.path
            unsure = path is None or path in twins or match.change in doubtful
            if path is None or unsure or len(claims[path]) > 1 or self._is_taken(text, path):
                self.found.ambiguous.append(text)
            else:
                accepted[text] = match
                self.found.of[text] = path
        for path in claims:
            self._taken.setdefault(path, set())
        for text in accepted:
            self._taken[self.found.of[text]].add(one_name(text))
        self.found.remarks += _remarks(accepted, spelled.described)

    @cached_property
    def _twins(self) -> set[str]:
        """The pictures whose names differ from others in case or in the spelling of the extension only."""
        alike: dict[str, list[str]] = {}
        for path in self._paths:
            alike.setdefault(caseless(path), []).append(path)
        return {path for group in alike.values() if len(group) > 1 for path in group}

    def _is_taken(self, text: str, path: str) -> bool:
        """Return whether a path that reads differently has the picture already, or several have claimed it."""
        return path in self._taken and one_name(text) not in self._taken[path]


def _contested_prefixes(fitting: Mapping[str, Match], claims: Mapping[str, set[str]]) -> set[str]:
    """Return the changes of prefix that lead too often to pictures which another prefix leads to as well."""
    contested = Counter(match.change for match in fitting.values() if match.path and len(claims[match.path]) > 1)
    every = Counter(match.change for match in fitting.values())
    return {change for change, count in contested.items() if change and count > _MOST_CONTESTED * every[change]}


def _remarks(accepted: Mapping[str, Match], described: str) -> Iterator[str]:
    """Yield a sentence for each way in which paths matched; those with many different prefixes share one."""
    by_change: dict[str, list[str]] = {}
    for text, match in accepted.items():
        by_change.setdefault(match.change, []).append(text)
    if len(by_change) > _PREFIXES_SHOWN:
        common = sorted(by_change, key=lambda change: -len(by_change[change]))
        by_change = {listed(common, _PREFIXES_SHOWN): list(accepted)}
    for change, texts in by_change.items():
        how = " and ".join(part for part in (change, described) if part)
        first = f"{quoted(texts[0])} is {quoted(accepted[texts[0]].path)}"
        yield f"{counted(len(texts), 'path')} matched {how} ({first})"
