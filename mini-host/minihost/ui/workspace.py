"""The project as the server sees it: read anew when flow.yaml changes, with its graph and what is wrong with it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from minihost.errors import HostError, JobError
from minihost.plugins import Search, discovery
from minihost.plugins.discovery import Catalogue
from minihost.projects import flow_graph, project
from minihost.projects.editing import FlowEditor
from minihost.projects.fingerprints import stamp
from minihost.projects.flow_graph import FlowGraph
from minihost.projects.project import FLOW, OWN, Project
from minihost.ui.flow_states import FlowStates, States

FRESH = 3.0
"""Seconds after which the project is read anew though flow.yaml is the same: a plugin may have changed."""


@dataclass(frozen=True)
class Opened:
    """One version of a project. `project` has no flow where flow.yaml is broken: `mistakes` say why.

    `digest` is of the bytes of flow.yaml, the empty text where there is no such file.
    """

    digest: str
    project: Project
    catalogue: Catalogue
    graph: FlowGraph
    mistakes: tuple[str, ...] = ()


class Workspace:
    """A project folder and the plugins in reach; safe to ask from several threads."""

    def __init__(self, folder: Path, plugin_paths: tuple[Path, ...] = ()) -> None:
        self.folder = folder.resolve()
        self.plugin_paths = plugin_paths
        self._lock = threading.Lock()
        self._last: Opened | None = None
        self._seen: tuple[object, ...] = ()
        self._until = 0.0
        self.states = FlowStates(self._for_states)

    @property
    def flow_file(self) -> Path:
        """The project's flow.yaml, whether it exists or not."""
        return self.folder / FLOW

    def opened(self) -> Opened:
        """Return the project as it is on disk now. What is returned is shared between threads: nobody changes it."""
        seen = tuple(stamp(path) for path in (self.flow_file, self.folder / OWN / "data"))
        with self._lock:
            if self._last is None or self._seen != seen or time.monotonic() > self._until:
                self._last, self._seen, self._until = self.read(), seen, time.monotonic() + FRESH
            return self._last

    def known(self) -> States:
        """Return the states of the steps as far as they are known, without waiting."""
        return self.states.latest(self.opened().digest)

    def _for_states(self) -> tuple[str, Project, Catalogue]:
        opened = self.read()
        return opened.digest, opened.project, opened.catalogue

    def read(self) -> Opened:
        """Read the project anew: for those who change what they get, as a build does."""
        digest = FlowEditor(self.folder).shown()
        mistakes: list[str] = []
        try:
            opened = project.open(self.folder)
        except JobError as err:
            mistakes, opened = err.mistakes, project.without_flow(self.folder)
        try:
            catalogue = discovery.find(Search((*self.plugin_paths, *opened.plugins)))
        except HostError as err:
            mistakes.append(str(err))
            catalogue = discovery.find(Search(self.plugin_paths))
        return Opened(digest, opened, catalogue, flow_graph.graph(opened, catalogue), tuple(mistakes))
