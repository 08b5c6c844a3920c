"""Makes an edit: each kind of change by its own function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minihost.plugins.discovery import Catalogue
from minihost.projects.editing import adding, changes, removing, renaming, setting
from minihost.projects.editing.changes import Change
from minihost.projects.editing.facts import Facts
from minihost.projects.editing.work import Edit, Work
from minihost.projects.project import Project

_EDITS: dict[type[Change], Callable[[Work, Any], None]] = {
    changes.AddStep: adding.add_step,
    changes.CopyStep: adding.copy_step,
    changes.AddFolder: adding.declare,
    changes.AddDataset: adding.declare,
    changes.AddPlugin: adding.add_plugin,
    changes.SetStep: setting.set_step,
    changes.Remove: removing.remove,
    changes.Rename: renaming.rename,
}


def made(change: Change, facts: Facts, project: Project, catalogue: Catalogue) -> Edit:
    """Return what a flow says after a change; raises `JobError` where it cannot be made."""
    work = Work(facts, project, catalogue)
    _EDITS[type(change)](work, change)
    work.keep_names()
    return work.edit
