"""What is remembered of each step's last run: what its result depended on, or why it failed."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.projects.project import Project

STATE = "state.json"
TIME = "%Y-%m-%d %H:%M:%S"


class BuildRecords:
    """The records of a project's steps, by name, in `.minihost/state.json`."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def all(self) -> dict[str, dict[str, Any]]:
        """Return the record of every step that was ever run; where they cannot be read, nothing counts as built."""
        try:
            found = json.loads((self.project.dir / ".minihost" / STATE).read_text(encoding="utf-8"))
            return dict(found["steps"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}

    def succeeded(self, name: str, record: dict[str, Any]) -> None:
        """Remember what the result of a step depended on; an earlier failure is forgotten."""
        self._write(name, record)

    def failed(self, name: str, error: HostError) -> None:
        """Remember why a step failed and where its log is, beside what is known of its last success."""
        failure = {
            "at": time.strftime(TIME),
            "reason": str(error).removeprefix(f"step {name}: "),
            "log": str(error.log or ""),
        }
        with contextlib.suppress(OSError):  # on a full disk, say: the failure itself is what the user must see
            self._write(name, {**self.all().get(name, {}), "failed": failure})

    def _write(self, name: str, record: dict[str, Any]) -> None:
        path: Path = self.project.own / STATE
        part = path.with_name(STATE + ".part")
        part.write_text(json.dumps({"steps": {**self.all(), name: record}}, indent=1), encoding="utf-8")
        part.replace(path)
