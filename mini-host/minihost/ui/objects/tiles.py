"""The tiles of a folder's grid, page by page: each picture with what the folder and a dataset say of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from minihost.folders.local import LocalFolder
from minihost.folders.store import FolderStore
from minihost.ui.objects.addresses import address
from minihost.ui.objects.folder_view import FolderView
from minihost.ui.objects.label_index import Caption, LabelIndex
from minihost.ui.objects.listing import Page, Walk
from minihost.ui.objects.media import LARGEST_PICTURE, PICTURES, TEXTS, ending, is_page, is_picture, size_text
from minihost.ui.objects.places import Place
from minihost.ui.objects.provenance import moment_text

AT_ONCE = 60
SECONDS = 0.35
"""How long a page looks for pictures; what it found by then is shown, and the next page goes on."""


@dataclass(frozen=True)
class Tile:
    """One file. `source` is the address of the picture, empty for what a browser does not show; `note` says why."""

    path: str
    source: str = ""
    size: str = ""
    changed: str = ""
    note: str = ""
    caption: Caption | None = None

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]

    @property
    def is_page(self) -> bool:
        """Whether it is an HTML page."""
        return bool(self.size) and is_page(self.path)

    @property
    def is_text(self) -> bool:
        """Whether its beginning can be read as text."""
        return bool(self.size) and ending(self.path) in TEXTS

    @property
    def format(self) -> str:
        """The ending of its name, in capitals."""
        return ending(self.path).upper()[:8]


@dataclass(frozen=True)
class Tiles:
    """A page of tiles, and `after`, with which the next one is asked for; None at the end."""

    tiles: list[Tile]
    after: str | None


def tiles(place: Place, view: FolderView, index: LabelIndex | None) -> Tiles:
    """Return a page of the pictures that a view asks for."""
    if index is not None and view.is_narrowed:
        start = int(view.after) if view.after.isascii() and view.after.isdigit() and len(view.after) < 12 else 0
        paths = index.paths(view.wanted, start, AT_ONCE + 1)
        page = Page(paths[:AT_ONCE], str(start + AT_ONCE) if len(paths) > AT_ONCE else None)
    else:
        page = files(place.store(), view, pictures_only=True)
    store = place.store()
    return captioned(Tiles([tile(place, store, path) for path in page.paths], page.after), index)


def captioned(found: Tiles, index: LabelIndex | None) -> Tiles:
    """Return the tiles with what a dataset says of each picture."""
    if index is None or not found.tiles:
        return found
    captions = index.captions([one.path for one in found.tiles])
    return replace(found, tiles=[replace(one, caption=captions.get(one.path)) for one in found.tiles])


def files(store: FolderStore, view: FolderView, *, pictures_only: bool = False) -> Page:
    """Return a page of the paths that a view asks for, in the order of the folder."""

    def picks(path: str) -> bool:
        return (not pictures_only or is_picture(path)) and view.picks(path)

    return Walk(store, picks, time.monotonic() + SECONDS).page(view.under, view.after, AT_ONCE)


def tile(place: Place, store: FolderStore, path: str) -> Tile:
    """Return the tile of one file, with a note where it cannot be shown."""
    facts = store.facts(path)
    if facts is None or facts.folder:
        leads = "is missing, or leads out of the folder" if isinstance(store, LocalFolder) else "is missing"
        return Tile(path, note=leads)
    size, changed = size_text(facts.size), moment_text(facts.modified)
    if ending(path) not in PICTURES:
        return Tile(path, size=size, changed=changed, note="" if not is_picture(path) else "not shown by browsers")
    if not facts.size:
        return Tile(path, size=size, changed=changed, note="is empty")
    if facts.size > LARGEST_PICTURE:
        return Tile(path, size=size, changed=changed, note="too large to show here")
    version = f"{facts.modified:.3f}-{facts.size}"
    return Tile(path, address("/picture", ref=place.ref, path=path, v=version), size, changed)
