"""The datasets and folders that a page may be asked for: those that the project knows by name, and no other place."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from functools import lru_cache

from werkzeug.exceptions import NotFound

from minihost.datasets.sql import is_sql
from minihost.errors import HostError
from minihost.folders import is_remote, open_folder
from minihost.folders.store import FolderStore
from minihost.folders.urls import without_password
from minihost.job import Reference
from minihost.projects.project import DATASET, FOLDER
from minihost.suggestions import did_you_mean
from minihost.ui.workspace import Opened

KINDS = {"folder": FOLDER, "dataset": DATASET}


@dataclass(frozen=True)
class Place:
    """One dataset or folder: `kind` is `dataset` or `folder`, `ref` what flow.yaml calls it."""

    kind: str
    ref: str
    reference: Reference

    @property
    def id(self) -> str:
        """The id of its node in the graph."""
        return f"{self.kind}:{self.ref}"

    @property
    def is_local(self) -> bool:
        """Whether it is a path on this machine."""
        return not is_remote(self.reference.path) and not is_sql(self.reference.path)

    @property
    def shown_path(self) -> str:
        """Where it lies, for people to see."""
        return without_password(self.reference.path)

    def store(self) -> FolderStore:
        """Return what reads the folder; raises `DataError` for a URL that nothing opens."""
        if self.is_local:
            return open_folder(self.reference)
        return _remote(self.reference.path, json.dumps(self.reference.options, sort_keys=True, default=str))


@lru_cache(maxsize=16)
def _remote(path: str, options: str) -> FolderStore:
    """A folder elsewhere, kept: what its listing said of each object need not be asked again."""
    return open_folder(Reference("", FOLDER, path, "", path, json.loads(options)))


def found(opened: Opened, kind: str, ref: str) -> Place:
    """Return the place that a page is asked for; raises `NotFound` for one that the project does not know."""
    if f"{kind}:{ref}" not in opened.graph.by_id and ref not in opened.project.names(KINDS[kind]):
        known = [one.ref for one in every(opened, kind)]
        raise NotFound(f"This project has no {kind} {ref[:200]!r}.{did_you_mean(ref[:200], known)}")
    return Place(kind, ref, opened.project.find(KINDS[kind], ref))


def every(opened: Opened, kind: str) -> list[Place]:
    """Return all datasets, or all folders, of the project; without those whose place cannot be told."""
    refs = [node.name for node in opened.graph.nodes if node.kind == kind]
    places = []
    for ref in dict.fromkeys([*refs, *opened.project.names(KINDS[kind])]):
        if f"{'dataset' if kind == 'folder' else 'folder'}:{ref}" not in opened.graph.by_id:
            with contextlib.suppress(HostError):
                places.append(Place(kind, ref, opened.project.find(KINDS[kind], ref)))
    return places
