"""What an edit is about: where that is the same in two texts, an edit meant for one of them is right for the other."""

from __future__ import annotations

import dataclasses
from typing import Any

from minihost.projects.editing.changes import Change, CopyStep, Remove, Rename, SetStep
from minihost.projects.flow import Step
from minihost.projects.project import Project


def touched(change: Change, opened: Project) -> dict[str, Any]:
    """Return what a flow says of the things that a change is about; of nothing for one that only adds."""
    if isinstance(change, SetStep | CopyStep):
        return _about([change.step], opened)
    if isinstance(change, Rename):
        return _about([change.old], opened)
    return _about(list(change.names), opened) if isinstance(change, Remove) else {}


def _about(names: list[str], opened: Project) -> dict[str, Any]:
    """The steps of these names and the declarations, with the steps that read or make what goes by them."""
    bare = {name.partition(":")[2] if name.startswith(("step:", "folder:", "dataset:")) else name for name in names}
    own = [step for step in opened.flow.steps if step.name in bare]
    things = {*bare, *(ref for step in own for ref in step.writes)} if own else bare
    users = [step for step in opened.flow.steps if things & set(_refs(step))]
    declared = [opened.flow.folders, opened.flow.datasets]
    return {
        "steps": {step.name: _facts(step) for step in [*own, *users]},
        "declared": [{name: options for name, options in one.items() if name in bare} for one in declared],
    }


def _refs(step: Step) -> list[str]:
    texts = [value for value in step.params.values() if isinstance(value, str)] if step.kind == "macro" else []
    return [*(ref for _role, ref in step.inputs), *step.writes, *texts]


def _facts(step: Step) -> dict[str, Any]:
    facts = dataclasses.asdict(step)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in facts.items() if key != "caches"}
