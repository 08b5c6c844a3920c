"""The states of all steps, computed in the background: looking through large folders takes longer than a page may."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from minihost.errors import HostError
from minihost.plugins.discovery import Catalogue
from minihost.projects.building import Build
from minihost.projects.project import Project

EVERY = 2.0
"""Seconds after which states that somebody looks at are computed again."""


PAUSE = 0.3
"""Seconds before a computation begins: the picture of the flow, which is asked for at the same moment, comes first."""


@dataclass(frozen=True)
class States:
    """What was last found: step -> its facts (`state`, `why`), for one version of the flow; `rev` names the whole."""

    digest: str = ""
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    rev: str = ""


class FlowStates:
    """Computes states while somebody asks for them: each question wakes a thread, and gets what is known already."""

    def __init__(self, read: Callable[[], tuple[str, Project, Catalogue]]) -> None:
        """`read` answers the digest of flow.yaml, and a project and its plugins for a build of their own."""
        self._read = read
        self._lock = threading.Lock()
        self._busy = False
        self._last = States()
        self._at = 0.0
        self._running: frozenset[str] = frozenset()

    def latest(self, digest: str) -> States:
        """Return what is known, without waiting; a computation begins where that is old or of another version."""
        with self._lock:
            is_old = time.monotonic() - self._at > EVERY or self._last.digest != digest
            if is_old and not self._busy:
                self._busy = True
                threading.Thread(target=self._compute, daemon=True).start()
            return self._last

    def now_running(self, builds: frozenset[str]) -> None:
        """Take note of the builds that run now; when one has ended, states are old."""
        with self._lock:
            if self._running - builds:
                self._at = 0.0
            self._running = builds

    def forget(self) -> None:
        """Have the next question compute anew: something was changed or has run."""
        with self._lock:
            self._at = 0.0

    def _compute(self) -> None:
        time.sleep(PAUSE)
        with self._lock:
            self._at = began = time.monotonic()  # what is forgotten from here on sets it back
        found = None
        try:
            with contextlib.suppress(HostError, OSError):  # the page says itself that the project cannot be read
                found = self._found()
        finally:
            with self._lock:
                self._busy = False
                self._last = found or self._last
                self._at = time.monotonic() if self._at == began else 0.0

    def _found(self) -> States:
        digest, project, catalogue = self._read()
        try:
            build = Build(project, catalogue)
            steps = {
                one.step.name: {"state": one.state, "why": "\n".join(one.mistakes) or one.why} for one in build.states()
            }
        except (HostError, OSError) as err:
            steps = {step.name: {"state": "invalid", "why": str(err)} for step in project.flow.steps}
        text = json.dumps([digest, steps], sort_keys=True)
        return States(digest, steps, hashlib.sha256(text.encode()).hexdigest()[:16])
