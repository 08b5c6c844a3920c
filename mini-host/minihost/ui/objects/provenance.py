"""What every page of an object says beside its content: where it lies, its size, what made it and what uses it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from minihost.folders.local import LocalFolder
from minihost.projects.flow_graph import Node
from minihost.ui.objects.listing import size_of
from minihost.ui.objects.media import size_text
from minihost.ui.objects.places import Place
from minihost.ui.workspace import Opened

QUICK, PATIENT = 0.15, 20.0
"""Seconds of looking through a folder for its size: while a page waits for it, and afterwards."""


@dataclass(frozen=True)
class About:
    """An object's maker and readers, and its place on disk as it is to be shown."""

    place: Place
    makers: list[Node]
    readers: list[Node]
    exists: bool
    is_file: bool
    """Whether a file stands where a folder should be."""

    path: str
    """Where it lies, from the project's folder where it lies in it."""


@dataclass(frozen=True)
class Size:
    """How much there is, in words; `more` says that not all was looked at."""

    text: str = ""
    changed: str = ""
    more: bool = False


def about(opened: Opened, place: Place) -> About:
    """Return what a page says beside the content; what lies elsewhere counts as there."""
    graph = opened.graph
    on_disk = Path(place.reference.path)
    is_file = place.is_local and place.kind == "folder" and on_disk.exists() and not on_disk.is_dir()
    exists = not place.is_local or (on_disk.exists() and not is_file)
    readers = list(dict.fromkeys(graph.readers(place.id)))
    root = f"{opened.project.dir}/"
    path = place.shown_path.removeprefix(root) if place.is_local else place.shown_path
    return About(place, list(dict.fromkeys(graph.makers(place.id))), readers, exists, is_file, path)


def size(place: Place, seconds: float) -> Size:
    """Return the size of a local object, as far as it can be told in some seconds; nothing of what lies elsewhere."""
    if not place.is_local:
        return Size()
    path = Path(place.reference.path)
    if path.is_file():
        facts = path.stat()
        return Size(size_text(facts.st_size), moment_text(facts.st_mtime))
    files, total, newest, more = size_of(LocalFolder(path), time.monotonic() + seconds)
    number = "1 file" if files == 1 else f"{files:,} files"
    text = f"{'more than ' if more else ''}{number}, {size_text(total)}"
    return Size(text, moment_text(newest) if newest and not more else "", more)


def moment_text(seconds: float) -> str:
    """Return a moment of a file as people read it, in local time; the empty text for none."""
    try:
        return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M") if seconds else ""
    except (OverflowError, OSError, ValueError):
        return ""
