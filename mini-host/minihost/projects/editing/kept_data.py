"""What goes by a name beside flow.yaml: records of steps, and data that the host keeps; renamed with the flow."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.locks import Lock
from minihost.outputs.stages import lock_of
from minihost.projects.build_records import STATE
from minihost.projects.builds import live_builds
from minihost.projects.editing import whole_file
from minihost.projects.editing.history import History
from minihost.projects.project import OWN


class KeptData:
    """Brings records and data to the names that flow.yaml says, also after a kill between the two."""

    def __init__(self, history: History, folder: Path) -> None:
        self.history, self.own = history, folder / OWN
        self._locks: list[Lock] = []

    def lock(self, records: list[tuple[str, str]], moves: list[tuple[str, str]]) -> None:
        """Hold what is going to move, so that no run writes there; raises `HostError` where one does or may."""
        if (records or moves) and live_builds(self.own.parent):
            raise HostError("A build goes on, and knows steps and data by their names. Rename when it has ended.")
        for old, new in moves:
            place, target = self.own / "data" / old, self.own / "data" / new
            if target.exists() and place.exists():
                raise HostError(f"{target} exists already, so {old} cannot get that name. Choose another.")
            if place.exists():
                facts = {"component": "an edit of the flow", "since": "now"}
                self._locks.append(Lock(lock_of(place), old, facts).take())

    def free(self) -> None:
        """Let others write again."""
        for lock in self._locks:
            lock.free()
        self._locks = []

    def recover(self, digest: str) -> None:
        """Finish the last edit, or its undoing: flow.yaml, whose digest this is, decides which of the two."""
        edits = self.history.edits()
        if not edits:
            return
        last = edits[-1]
        if digest == last["after"]:
            self._rename(last["records"], last["moves"])
        elif digest == last["before"]:
            self._rename(_turned(last["records"]), _turned(last["moves"]))
            self.history.put(edits[:-1])

    def _rename(self, records: list[list[str]], moves: list[list[str]]) -> None:
        for old, new in moves:
            place, target = self.own / "data" / old, self.own / "data" / new
            if place.exists() and not target.exists():
                os.rename(place, target)
        if records:
            self._rename_records(records)

    def _rename_records(self, records: list[list[str]]) -> None:
        try:
            found: dict[str, Any] = json.loads((self.own / STATE).read_text(encoding="utf-8"))
            steps = found["steps"]
        except (OSError, ValueError, KeyError, TypeError):
            return
        moved = [(old, new) for old, new in records if old in steps and new not in steps]
        for old, new in moved:
            steps[new] = steps.pop(old)
        if moved:
            whole_file.replace(self.own / STATE, json.dumps(found, indent=1).encode())


def _turned(pairs: list[list[str]]) -> list[list[str]]:
    return [[new, old] for old, new in pairs]
