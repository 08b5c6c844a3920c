"""Paths with leading folders too many or too few: absolute ones, with the folder's own name, without a sub-folder.

Which prefix to remove is found from all rows of a table: of two that would fit a row, the one that more rows have wins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from vision_recipes.dataset.path_spelling import Spelled, ends, is_absolute, loose, plain, quoted, unique_keys

SPLITS = {
    f"{name}{end}": side
    for side, names in {
        "train": ("train", "training"),
        "validation": ("val", "valid", "validation", "dev"),
        "test": ("test", "testing", "holdout"),
    }.items()
    for name in names
    for end in ("", "_set", "-set", " set", "set", "_data", "_images")
}
"""Names of folders, in any case, that hold one side of a split."""
_ALL, _UNDECIDED = 0, -1
"""Instead of how many parts of a path to keep: all of them, and others before; that several numbers are as likely."""
_INNER_PARENT = re.compile(r"(?:^|/)(?!\.\./)[^/]+/\.\.(?:/|$)")


@dataclass(frozen=True)
class Match:
    """The picture that a path means, None when several fit; `change` completes "matched …"."""

    path: str | None
    change: str = ""


class Prefixes:
    """Matches paths that are the end of a picture's path, or that end with the whole of one.

    `waiting` are the paths to match; `matched` are those that need no other prefix. Where there are such, a relative
    path must keep a folder when its first ones are removed, and paths in the same folder as they are missing, not in
    need of a prefix. Which prefix a path has is decided once, in the most tolerant spelling.
    """

    def __init__(self, paths: Sequence[str], waiting: Iterable[str], matched: Sequence[str]) -> None:
        keys = list(map(loose, paths))
        self._suffixes, self._whole = set(_by_suffix(paths, keys)), set(keys)
        self._relative = bool(matched)
        self._slashed = any(text.lstrip().startswith("/") for text in matched)
        self._folders = {_folder(plain(text)) for text in matched}
        options = {text: list(self._options(text)) for text in waiting}
        votes = Counter(prefix for fitting in options.values() for prefix, _ in fitting)
        self._kept = {text: _elected(fitting, votes) for text, fitting in options.items() if fitting}

    def match(self, paths: Sequence[str], spelled: Spelled) -> dict[str, Match]:
        """Return the matches of the paths that wait for one; `paths` is the listing."""
        suffixes, whole = _by_suffix(paths, spelled.keys), unique_keys(paths, spelled.keys)
        found = {}
        for text, key in spelled.waiting.items():
            kept = self._kept.get(text)
            if kept == _UNDECIDED:
                found[text] = Match(None)
            elif kept == _ALL and key in suffixes:
                found[text] = Match(suffixes[key], "after adding leading folders")
            elif kept and (end := "/".join(key.split("/")[-kept:])) in whole:
                found[text] = Match(whole[end], f"after removing the prefix {quoted(raw_prefix(text, end))}")
        return found

    def _options(self, text: str) -> Iterator[tuple[str, int]]:
        """Yield the prefixes that a path may have too many, each with how many parts it leaves."""
        key = loose(text)
        if _folder(plain(text)) in self._folders:
            return
        if key in self._suffixes:
            yield "", _ALL
        absolute = is_absolute(text) or (text.lstrip().startswith("/") and not self._slashed)
        for prefix, end in _cuts(key):
            if end in self._whole and ("/" in end or absolute or not self._relative):
                yield prefix, end.count("/") + 1


class Rivals:
    """Finds paths that fit one picture as a whole, in a tolerant spelling, and another one with another prefix.

    `waiting` are all paths of the table that are not matched exactly. A prefix counts if it is the only explanation of
    some of them.
    """

    def __init__(self, paths: Sequence[str], waiting: Iterable[str]) -> None:
        self._paths, self._waiting = paths, list(waiting)

    def find(self, fitting: Iterable[str]) -> list[str]:
        """Return the paths, of those that fit as a whole, that may as well mean another picture."""
        return [
            text
            for text in fitting
            if plain(text) in self._suffixes or not self._prefixes.isdisjoint(self._cut(loose(text)))
        ]

    def _cut(self, key: str) -> Iterator[str]:
        return (prefix for prefix, end in _cuts(key) if end in self._whole)

    @cached_property
    def _suffixes(self) -> dict[str, str | None]:
        return _by_suffix(self._paths, map(plain, self._paths))

    @cached_property
    def _whole(self) -> set[str]:
        return set(map(loose, self._paths))

    @cached_property
    def _prefixes(self) -> set[str]:
        keys = (loose(text) for text in self._waiting)
        return {prefix for key in keys if key not in self._whole for prefix in self._cut(key)}


class ReplacedPrefix:
    """Matches a table whose paths all begin with one prefix, while the listing has another one or several.

    What is left of a path must be the end of one picture's path. File names alone are only matched from an absolute
    folder into several ones. Paths from one side of a split never match pictures of another side.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._prefix = _common_folders([plain(text) for text in texts])

    def match(self, paths: Sequence[str], spelled: Spelled) -> dict[str, Match]:
        """Return the matches of the paths that wait for one; `paths` is the listing."""
        depth = len(self._prefix)
        if not depth:
            return {}
        suffixes = _by_suffix(paths, spelled.keys)
        left = {text: "/".join(key.split("/")[depth:]) for text, key in spelled.waiting.items()}
        found = {text: path for text, end in left.items() if (path := suffixes.get(end)) is not None}
        found = {text: path for text, path in found.items() if not _other_side(self._prefix, path)}
        alone = [text for text in found if "/" not in left[text]]
        into = {_folder(path) for path in found.values()}
        if alone and not (len(into) > 1 and all(is_absolute(text) or self._rooted(text) for text in alone)):
            return {}
        change = {text: f"after replacing the prefix {quoted(raw_prefix(text, left[text]))}" for text in found}
        return {text: Match(path, change[text]) for text, path in found.items()}

    def _rooted(self, text: str) -> bool:
        return text.lstrip().startswith("/") and len(self._prefix) > 1


def _elected(fitting: Sequence[tuple[str, int]], votes: Mapping[str, int]) -> int:
    """Return how many parts the prefix leaves that most rows have; _UNDECIDED when as many have another one."""
    most = max(votes[prefix] for prefix, _ in fitting)
    kept = [parts for prefix, parts in fitting if votes[prefix] == most]
    return kept[0] if len(kept) == 1 else _UNDECIDED


def _by_suffix(paths: Sequence[str], keys: Iterable[str]) -> dict[str, str | None]:
    """Return the picture of each end of a path, None where several paths have that end."""
    found: dict[str, str | None] = {}
    for path, key in zip(paths, keys, strict=True):
        for end in ends(key):
            found[end] = None if end in found else path
    return found


def _cuts(key: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to part a path into leading folders and the rest; `..` may only come first."""
    if _INNER_PARENT.search(key):
        return
    for end in ends(key):
        if len(end) < len(key):
            yield key[: -len(end)], end


def _common_folders(keys: Sequence[str]) -> list[str]:
    """Return the names of the folders that all paths begin with."""
    folders = [key.split("/")[:-1] for key in keys]
    first, last = min(folders, default=[]), max(folders, default=[])
    pairs = zip(first, last, strict=False)
    return first[: next((place for place, (one, other) in enumerate(pairs) if one != other), len(first))]


def _other_side(folders: Sequence[str], path: str) -> bool:
    """Return whether folders and a path name different sides of a split."""
    left, right = (
        {SPLITS[name] for name in map(str.lower, names) if name in SPLITS} for names in (folders, path.split("/"))
    )
    return bool(left) and bool(right) and not left & right


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def raw_prefix(text: str, end: str) -> str:
    """Return what stands before the last parts of a path as written: as many as `end`, a path's end, has."""
    pieces = re.split(r"([/\\]+)", text.strip())
    return "".join(pieces[: max(1, len(pieces) - 2 * end.count("/") - 1)])
