"""The page of a folder: its pictures, its files, the model or the report that it holds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, abort, render_template

from minihost.folders import is_remote
from minihost.folders.local import LocalFolder
from minihost.folders.store import FolderStore
from minihost.ui.objects import model_facts, places, provenance
from minihost.ui.objects.addresses import address, asked, shown, shown_name
from minihost.ui.objects.folder_view import NO_LABELS, FolderView, view_of
from minihost.ui.objects.frames import Frames
from minihost.ui.objects.label_index import LabelIndex
from minihost.ui.objects.label_sources import LabelSources, Source
from minihost.ui.objects.listing import glance
from minihost.ui.objects.media import is_page
from minihost.ui.objects.places import Place
from minihost.ui.objects.tiles import Tiles, captioned, files, tile, tiles
from minihost.ui.workspace import Opened, Workspace

PAGES = ("index.html", "report/index.html")
"""Where the report of a folder is looked for first."""

MOST_FOLDERS, MOST_PAGES = 200, 8
QUICK = 0.12
"""Seconds that a page spends on each thing beside its pictures: what is not known by then comes later."""

PATIENCE = 8.0
"""Seconds that a request for labels waits for them."""


@dataclass(frozen=True)
class Labels:
    """The datasets for a folder, the one that is shown, and its rows once they are there; `rows` counts those read."""

    sources: Sequence[Source] = ()
    chosen: Source | None = None
    index: LabelIndex | None = None
    wait: bool = False
    rows: int = 0


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/folder` with its fragments, and `/report`."""
    pages = _FolderPages(workspace, app.extensions.setdefault("frames", Frames()))
    app.jinja_env.filters.update(shown=shown, shown_name=shown_name, percent=_percent)
    app.jinja_env.globals["address"] = address
    for path in ("/folder", "/folder/pictures", "/folder/files", "/folder/labels", "/folder/rows", "/report"):
        app.add_url_rule(path, path, getattr(pages, path.rpartition("/")[2]))
    app.add_url_rule("/object/size", "/object/size", pages.size)


class _FolderPages:
    def __init__(self, workspace: Workspace, frames: Frames) -> None:
        self.workspace, self.frames = workspace, frames
        self.sources = LabelSources()

    def folder(self) -> str:
        """The whole page; what takes long comes later, as fragments."""
        opened, place, view = self._asked()
        facts: dict[str, Any] = {"about": provenance.about(opened, place), "place": place, "view": view}
        if not facts["about"].exists or (place.is_local and not isinstance(place.store(), LocalFolder)):
            return render_template("folder.html", **facts)
        store = place.store()
        if not is_remote(place.reference.path):
            facts |= self._content(opened, place, view)
        facts["model"] = model_facts.read(store)
        facts["logs"] = _log_viewers(opened) if model_facts.has_logs(store) else None
        facts["reports"] = _reports(store, facts["glance"].pages if "glance" in facts else [])
        if facts["reports"] and not facts["model"] and not (facts.get("tiles") and facts["tiles"].tiles):
            facts["frame"] = self._frame(place, store, facts["reports"][0])
        is_source = place.is_local and not facts["about"].makers
        facts["takes_files"] = is_source and not facts["model"] and "frame" not in facts
        return render_template("folder.html", **facts)

    def _content(self, opened: Opened, place: Place, view: FolderView) -> dict[str, Any]:
        """What is in a folder of this machine. Labels come last: looking for them must not slow down what is seen."""
        found = None if view.is_narrowed else tiles(place, view, None)
        facts: dict[str, Any] = {"size": provenance.size(place, QUICK)}
        facts["glance"] = glance(place.store(), view.under or "/", MOST_FOLDERS, time.monotonic() + QUICK)
        facts["labels"] = labels = self._labels(opened, place, view, QUICK)
        if found is not None:
            facts["tiles"] = captioned(found, labels.index)
        elif labels.index is not None:
            facts["tiles"] = tiles(place, view, labels.index)
        if view.show == "files" or _has_none(found, view):
            facts["files"] = self._files(place, view)
        return facts

    def pictures(self) -> str:
        """A page of the grid."""
        opened, place, view = self._asked()
        labels = self._labels(opened, place, view, PATIENCE if view.is_narrowed else QUICK)
        if view.is_narrowed and labels.index is None:
            return render_template("tiles_waiting.html", view=view, labels=labels)
        return render_template("tiles.html", place=place, view=view, tiles=tiles(place, view, labels.index))

    def files(self) -> str:
        """A page of the list of files."""
        _opened, place, view = self._asked()
        return render_template("files.html", place=place, view=view, files=self._files(place, view))

    def labels(self) -> str:
        """The choices of labels, once their dataset has been read."""
        opened, place, view = self._asked()
        labels = self._labels(opened, place, view, PATIENCE)
        return render_template("labels.html", place=place, view=view, labels=labels)

    def rows(self) -> str:
        """All that is known of one picture, for the large view."""
        opened, place, view = self._asked()
        path = asked().get("path", "")
        index = self._labels(opened, place, view, QUICK).index
        found = tile(place, place.store(), path)
        return render_template("picture_rows.html", tile=found, rows=index.rows_of(path) if index else [], place=place)

    def size(self) -> str:
        """The size of a folder that was too large to be looked through at once."""
        query = asked()
        kind = "dataset" if query.get("kind") == "dataset" else "folder"
        place = places.found(self.workspace.opened(), kind, query.get("ref", ""))
        return render_template("size.html", size=provenance.size(place, provenance.PATIENT), place=place, late=True)

    def report(self) -> str:
        """A report in a frame that fills the window."""
        opened, place, view = self._asked()
        path = asked().get("path", "")
        store = place.store()
        facts = store.facts(path)
        if not is_page(path) or facts is None or facts.folder:
            abort(404, f"There is no HTML page {shown_name(path)[:300]} in the folder {shown_name(place.ref)[:300]}.")
        frame = self._frame(place, store, path)
        return render_template(
            "report.html", place=place, view=view, path=path, frame=frame, about=provenance.about(opened, place)
        )

    def _asked(self) -> tuple[Opened, Place, FolderView]:
        opened, view = self.workspace.opened(), view_of(asked())
        return opened, places.found(opened, "folder", view.ref), view

    def _labels(self, opened: Opened, place: Place, view: FolderView, seconds: float) -> Labels:
        """What is known of the labels of a folder after some seconds."""
        if not place.is_local:
            return Labels()
        until = time.monotonic() + seconds
        sources = self.sources.of(opened, place, seconds)
        if sources is None:
            return Labels(wait=view.dataset != NO_LABELS)
        if view.dataset == NO_LABELS or not sources:
            return Labels(sources)
        chosen = next((one for one in sources if one.place.ref == view.dataset), sources[0])
        index = self.sources.index(chosen)
        is_ready = index.ready.wait(max(0.0, until - time.monotonic()))
        return Labels(sources, chosen, index if is_ready else None, wait=not is_ready, rows=index.rows)

    def _files(self, place: Place, view: FolderView) -> Tiles:
        store = place.store()
        page = files(store, view)
        return Tiles([tile(place, store, path) for path in page.paths], page.after)

    def _frame(self, place: Place, store: FolderStore, path: str) -> str:
        return self.frames.address(f"{place.id} {place.reference.path}", store, path)


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def _has_none(found: Tiles | None, view: FolderView) -> bool:
    """Whether a folder has no pictures, and none was looked for."""
    is_asked = bool(view.name or view.is_narrowed)
    return found is not None and not found.tiles and found.after is None and not is_asked


def _reports(store: FolderStore, direct: list[str]) -> list[str]:
    """The HTML pages of a folder: the usual ones, and those that lie directly in what is shown."""
    usual = [f"/{path}" for path in PAGES if (facts := store.facts(path)) and not facts.folder]
    return list(dict.fromkeys([*usual, *direct]))[:MOST_PAGES]


def report_of(place: Place) -> str:
    """The path of the report that a folder of this machine holds, empty where there is none."""
    if not place.is_local or not Path(place.reference.path).is_dir():
        return ""
    store = place.store()
    pages = _reports(store, []) or glance(store, "/", MOST_PAGES, time.monotonic()).pages
    return pages[0] if pages else ""


def _log_viewers(opened: Opened) -> list[tuple[str, str]]:
    """The web apps that show logs of TensorBoard: their name and what they are called in flow.yaml."""
    found = []
    for plugin in opened.catalogue.plugins:
        for component in plugin.components:
            if component.kind == "webapp" and "tensorboard" in component.id.lower():
                found.append((component.label, f"{plugin.id}/{component.id}"))
    return found
