"""Which column of a dataset holds the paths of files in a folder, told by looking for some of its cells there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from minihost.errors import HostError
from minihost.folders.paths import canonical
from minihost.ui.objects.media import is_picture
from minihost.ui.objects.places import Place

SAMPLE = 12
"""Cells that are compared."""

LONGEST = 4096


@dataclass(frozen=True)
class PathColumn:
    """A column whose cells are paths of files in `folder`; `prefix` comes before these paths in the cells."""

    column: int
    folder: Place
    prefix: str = ""

    def path(self, cell: str) -> str:
        """Return the path in the folder that a cell holds, the empty text where it holds none."""
        return _path(cell, self.prefix)


def path_column(rows: Sequence[Sequence[str]], folder: Place) -> PathColumn | None:
    """Return the column of which most cells are files of a folder, None where no column is."""
    for place in range(len(rows[0]) if rows else 0):
        found = _matched([row[place] for row in rows], place, folder)
        if found is not None:
            return found
    return None


def picture_columns(rows: Sequence[Sequence[str]], folders: Iterable[Place]) -> dict[int, PathColumn]:
    """Return the columns of pictures, each with the first folder that has most of its cells."""
    waiting = [
        place
        for place in range(len(rows[0]) if rows else 0)
        if any(is_picture(row[place]) for row in rows if len(row[place]) <= LONGEST)
    ]
    found: dict[int, PathColumn] = {}
    for folder in folders if waiting else ():
        for place in [one for one in waiting if one not in found]:
            match = _matched([row[place] for row in rows], place, folder)
            if match is not None:
                found[place] = match
    return found


def _matched(cells: Sequence[str], column: int, folder: Place) -> PathColumn | None:
    sample = [cell for cell in dict.fromkeys(cells) if cell and len(cell) <= LONGEST][:SAMPLE]
    if not sample or not all("." in cell[-8:] or "/" in cell for cell in sample):
        return None
    for prefix in _prefixes(folder):
        paths = [path for path in (_path(cell, prefix) for cell in sample) if path]
        if len(paths) * 2 > len(sample) and _are_files(paths, len(sample), folder):
            return PathColumn(column, folder, prefix)
    return None


def _prefixes(folder: Place) -> list[str]:
    """What may come before the paths of a folder in the cells of a dataset."""
    if not folder.is_local:
        return [""]
    path = Path(folder.reference.path)
    return list(dict.fromkeys(["", f"{path}/", f"{folder.ref.strip('/')}/", f"{path.name}/"]))


def _path(cell: str, prefix: str) -> str:
    inside = cell if prefix.startswith("/") else cell.lstrip("/")
    if not inside or not inside.startswith(prefix):
        return ""
    try:
        return canonical(inside[len(prefix) :])
    except HostError:
        return ""


def _are_files(paths: list[str], sample: int, folder: Place) -> bool:
    store = folder.store()
    there = missing = 0
    for path in paths:
        facts = store.facts(path)
        is_there = facts is not None and not facts.folder
        there, missing = there + is_there, missing + (not is_there)
        if there * 2 > sample or missing * 2 >= sample:
            break
    return there * 2 > sample
