"""The files of a folder page by page, in the order of their paths; memory holds one page, whatever its size."""

from __future__ import annotations

import heapq
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from minihost.folders.local import LocalFolder
from minihost.folders.paths import OWN, canonical, parts
from minihost.folders.store import FolderStore
from minihost.ui.objects.media import is_page

CHUNK = 256
"""Names of one folder that are held at once."""

DEEPEST = 60
"""Folders inside folders that are entered."""

Picks = Callable[[str], bool]


@dataclass(frozen=True)
class Page:
    """Some paths. `after` continues behind the last one that was looked at; None: there are no more files.

    `paths` may be few, or none, though there are more: looking ends when its time is over.
    """

    paths: list[str] = field(default_factory=list)
    after: str | None = None


class OutOfTime(Exception):
    """Looking through a folder has taken long enough."""


class Walk:
    """One walk through a folder, from behind a path (`after`) on, until a moment of `time.monotonic()`."""

    def __init__(self, store: FolderStore, picks: Picks, until: float) -> None:
        self.store, self.picks, self.until = store, picks, until
        self.begun = self.reached = ""
        """The path behind which the walk began, and the last path or folder that is behind us."""

    def page(self, under: str, after: str, size: int) -> Page:
        """Return at most so many paths under a folder, those behind `after`."""
        root = tuple(parts(under))
        behind = tuple(parts(after))
        behind = behind[len(root) :] if behind[: len(root)] == root else ()
        self.begun = self.reached = after
        paths: list[str] = []
        walked = self._walk(root, behind, 0)
        try:
            for path in walked:
                if len(paths) == size:
                    return Page(paths, paths[-1])
                paths.append(path)
                self.reached = path
        except OutOfTime:
            return Page(paths, self.reached)
        return Page(paths)

    def _walk(self, folder: tuple[str, ...], behind: tuple[str, ...], depth: int) -> Iterator[str]:
        """The picked paths in a folder and its sub-folders; `behind` are the names of a path in it."""
        start, inclusive = (behind[0] if behind else ""), len(behind) > 1
        while True:
            names = self._names(folder, start, inclusive=inclusive)
            for name, is_folder in names:
                path = canonical("/".join((*folder, name)))
                if not is_folder:
                    yield path
                elif depth < DEEPEST:
                    yield from self._walk((*folder, name), behind[1:] if name == start and inclusive else (), depth + 1)
                self.reached = path
            if len(names) < CHUNK:
                return
            start, inclusive, behind = names[-1][0], False, ()

    def _names(self, folder: tuple[str, ...], start: str, *, inclusive: bool) -> list[tuple[str, bool]]:
        """The next names of one folder, each with whether it is a folder; raises `OutOfTime` once there is progress."""
        if self.reached != self.begun and time.monotonic() > self.until:
            raise OutOfTime
        inside = canonical("/".join(folder)).rstrip("/")
        kept: list[tuple[str, bool]] = []
        last = ""
        for name, is_folder in entries(self.store, inside or "/"):
            if name < start or (name == start and not inclusive) or (last and name > last):
                continue
            if is_folder or self.picks(f"{inside}/{name}"):
                kept.append((name, is_folder))
                if len(kept) == 4 * CHUNK:
                    kept = sorted(kept)[:CHUNK]
                    last = kept[-1][0]
        return sorted(kept)[:CHUNK]


def entries(store: FolderStore, folder: str) -> Iterable[tuple[str, bool]]:
    """Yield the names in one folder, in no order, each with whether it is a folder; none where it cannot be read.

    Links to folders are left out, as in all listings of the host.
    """
    if not isinstance(store, LocalFolder):
        inside = folder.rstrip("/")
        for name in store.children(folder):
            facts = store.facts(f"{inside}/{name}")
            yield name, bool(facts and facts.folder)
        return
    try:
        with os.scandir(store.place(f"{folder}/_").parent) as found:  # behind no link that leads out
            for entry in found:
                if entry.name.startswith(OWN):
                    continue
                if entry.is_file(follow_symlinks=False):
                    yield entry.name, False
                elif entry.is_dir(follow_symlinks=False):
                    yield entry.name, True
                elif not _is_folder(entry):
                    yield entry.name, False
    except OSError:
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


@dataclass(frozen=True)
class Subfolder:
    """A folder inside a folder; `files` counts those directly and deeper in it, `more` says that there are more."""

    path: str
    files: int = 0
    more: bool = False

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Glance:
    """What lies directly in a folder: the first folders, whether there are more of them, and the first HTML pages."""

    folders: list[Subfolder]
    more_folders: bool
    pages: list[str]


def glance(store: FolderStore, folder: str, most: int, until: float) -> Glance:
    """Return what lies directly in a folder; the files in each folder are counted as long as time lasts."""
    inside = folder.rstrip("/")
    names: list[str] = []
    pages: list[str] = []
    for name, is_folder in entries(store, folder):
        kept = names if is_folder else pages
        if is_folder or is_page(name):
            kept.append(name)
            if len(kept) > 4 * most:
                kept[:] = heapq.nsmallest(most + 1, kept)
    found = []
    for name in sorted(names)[:most]:
        files, more = count(store, f"{inside}/{name}", until) if isinstance(store, LocalFolder) else (0, True)
        found.append(Subfolder(f"{inside}/{name}", files, more))
    return Glance(found, len(names) > most, [f"{inside}/{name}" for name in sorted(pages)[:most]])


def count(store: FolderStore, folder: str, until: float) -> tuple[int, bool]:
    """Return how many files lie in a folder and its sub-folders, and whether there may be more: time was over."""
    waiting, files = [folder], 0
    while waiting:
        if time.monotonic() > until:
            return files, True
        here = waiting.pop()
        for name, is_folder in entries(store, here):
            if is_folder:
                waiting.append(f"{here.rstrip('/')}/{name}")
            else:
                files += 1
    return files, False


def size_of(store: FolderStore, until: float) -> tuple[int, int, float, bool]:
    """Return the files of a local folder, their bytes, the time of the newest, and whether there may be more."""
    waiting, files, size, newest = [str(getattr(store, "root", "/"))], 0, 0, 0.0
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as found:
                for entry in found:
                    if entry.name.startswith(OWN):
                        continue
                    facts = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(facts.st_mode):
                        waiting.append(entry.path)
                        continue
                    files, size, newest = files + 1, size + facts.st_size, max(newest, facts.st_mtime)
                    if files % 512 == 0 and time.monotonic() > until:
                        return files, size, newest, True
        except OSError:
            continue
        if time.monotonic() > until:
            return files, size, newest, bool(waiting)
    return files, size, newest, False
