"""What the page of the flow shows: its picture, its list, or what is wrong with flow.yaml and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.projects.editing.flow_file import decoded, read
from minihost.projects.flow_graph import FlowGraph
from minihost.ui.graph.drawing import drawing
from minihost.ui.graph.nodes import STATES, shown_nodes
from minihost.ui.workspace import Opened, Workspace

AROUND = 4
"""Lines of flow.yaml that are shown above and below a mistake."""


@dataclass(frozen=True)
class Broken:
    """What is wrong with flow.yaml, and the lines around it as (number, text, whether it is the one)."""

    mistakes: tuple[str, ...]
    lines: tuple[tuple[int, str, bool], ...] = ()


class FlowPicture:
    """Answers what the templates of the flow need; remembers the last graph that could be read."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._last = FlowGraph()

    def page(self) -> dict[str, Any]:
        """Return what `flow.html` needs."""
        opened = self.workspace.opened()
        return {"opened": opened, "states_with_signs": STATES, **self._picture(opened)}

    def picture(self) -> dict[str, Any]:
        """Return what `flow_graph.html` needs."""
        return self._picture(self.workspace.opened())

    def listed(self) -> dict[str, Any]:
        """Return what `flow_list.html` needs."""
        opened = self.workspace.opened()
        return {"broken": self._broken(opened), "nodes": shown_nodes(self._graph(opened), self.workspace.known().steps)}

    def _picture(self, opened: Opened) -> dict[str, Any]:
        return {
            "broken": self._broken(opened),
            "drawing": drawing(self._graph(opened), self.workspace.known().steps),
        }

    def _graph(self, opened: Opened) -> FlowGraph:
        if not opened.mistakes or opened.graph.nodes:
            self._last = opened.graph
        return self._last

    def _broken(self, opened: Opened) -> Broken | None:
        if not opened.mistakes:
            return None
        return Broken(opened.mistakes, tuple(_around(self.workspace.flow_file, opened.mistakes)))


def _around(path: Path, mistakes: tuple[str, ...]) -> list[tuple[int, str, bool]]:
    """The lines of a file around the first line that a mistake names."""
    named = next((found for one in mistakes if (found := re.search(r"\bline (\d+)\b", one))), None)
    try:
        content = read(path) if named else None
    except HostError:
        content = None
    text = decoded(content)[0].splitlines() if content else []
    if named is None or not text:
        return []
    line = min(int(named[1]), len(text))
    numbers = range(max(1, line - AROUND), min(len(text), line + AROUND) + 1)
    return [(number, text[number - 1][:300], number == line) for number in numbers]
