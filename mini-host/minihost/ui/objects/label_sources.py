"""The datasets that say something of the pictures of a folder, and their rows, kept as long as the dataset stays."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from minihost.datasets.previews import preview
from minihost.errors import HostError
from minihost.ui.objects.dataset_place import stamp_of, table_of
from minihost.ui.objects.label_index import LabelIndex, place_of
from minihost.ui.objects.path_columns import PathColumn, path_column
from minihost.ui.objects.places import Place, every
from minihost.ui.workspace import Opened

KEPT = 4
"""Datasets whose rows are kept at once."""

MOST_SEARCHES = 200
LOOKED_AT = 40
"""Rows of a dataset that are compared with a folder."""

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Source:
    """A dataset with a column that holds paths of a folder."""

    place: Place
    column: PathColumn
    columns: tuple[str, ...]


@dataclass
class _Search:
    """One look at all datasets for one folder."""

    found: list[Source] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


class LabelSources:
    """What was found for each folder; safe to ask from several threads. Threads of its own look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._searches: OrderedDict[Key, _Search] = OrderedDict()
        self._indexes: OrderedDict[Key, LabelIndex] = OrderedDict()

    def of(self, opened: Opened, folder: Place, seconds: float) -> list[Source] | None:
        """Return the datasets for a folder, those that say most of it first; None while it is not known yet."""
        places = [place for place in every(opened, "dataset") if place.is_local]
        key = (folder.id, folder.reference.path, *((place.id, stamp_of(place)) for place in places))
        with self._lock:
            search = self._searches.get(key)
            if search is None:
                search = self._searches[key] = _Search()
                threading.Thread(target=_look, args=(search, places, folder), daemon=True).start()
                while len(self._searches) > MOST_SEARCHES:
                    self._searches.popitem(last=False)
        return search.found if search.done.wait(seconds) else None

    def index(self, source: Source) -> LabelIndex:
        """Return the rows of a dataset; they may still be on their way (`ready`)."""
        key = (source.place.id, stamp_of(source.place), source.column.folder.id, source.column.prefix)
        with self._lock:
            if key not in self._indexes:
                self._indexes[key] = LabelIndex(table_of(source.place), list(source.columns), source.column)
                while len(self._indexes) > KEPT:
                    self._indexes.popitem(last=False)[1].close()
            self._indexes.move_to_end(key)
            return self._indexes[key]


def _look(search: _Search, places: list[Place], folder: Place) -> None:
    try:
        found = [source for place in places if (source := _match(place, folder))]
        search.found = sorted(found, key=_worth, reverse=True)
    finally:
        search.done.set()


def _worth(source: Source) -> tuple[bool, bool, int]:
    """How much a dataset says of pictures: whether it has labels and the true ones, and its size."""
    places = [place_of(source.columns, role, source.column.column) is not None for role in ("label", "truth")]
    return all(places), any(places), sum(stamp_of(source.place)[1:2])


def _match(place: Place, folder: Place) -> Source | None:
    try:
        found = preview(table_of(place), size=LOOKED_AT)
    except (HostError, OSError):
        return None
    names = tuple(column["name"] for column in found.columns)
    rows = [[cell if isinstance(cell, str) else "" for cell in row] for row in found.rows]
    column = path_column(rows, folder)
    return Source(place, column, names) if column else None
