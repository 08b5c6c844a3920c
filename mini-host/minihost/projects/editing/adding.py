"""Edits that add something: steps, copies of steps, folders, datasets, plugins."""

from __future__ import annotations

import copy

from minihost.errors import JobError
from minihost.parameters.plain import plain
from minihost.projects.editing.changes import AddDataset, AddFolder, AddPlugin, AddStep, CopyStep, refs_of
from minihost.projects.editing.facts import Facts
from minihost.projects.editing.work import Work, filled


def add_step(work: Work, change: AddStep) -> None:
    """Add a step of a component."""
    kind = change.kind or work.names.kind_of(change.component)
    if kind not in ("recipe", "macro"):
        raise JobError([f"A step is a recipe or a macro; got {kind!r:.60}."])
    step: Facts = {"name": work.names.new_step(change.name)} if change.name else {}
    step[kind] = change.component
    facts = {
        "inputs": filled(change.inputs),
        "outputs": filled(change.outputs),
        "creates": list(change.creates),
        "params": plain(dict(change.params)),
        "partition": change.partition,
    }
    step |= {key: value for key, value in facts.items() if value}
    work.edit.summary = f"Added the step {work.insert(step, change.after)}."


def copy_step(work: Work, change: CopyStep) -> None:
    """Add a step like another, which makes things with new names; caches stay shared."""
    names, original = work.names, dict(work.step(change.step))
    step: Facts = {"name": names.new_step(change.name)} if change.name else {}
    step |= {key: value for key, value in copy.deepcopy(original).items() if key != "name"}
    caches = names.caches(names.step(change.step))
    made = [ref for role, refs in (step.get("outputs") or {}).items() if role not in caches for ref in refs_of(refs)]
    fresh: dict[str, str] = {}
    for ref in dict.fromkeys([*made, *refs_of(step.get("creates"))]):
        fresh[ref] = names.free(ref, fresh.values())
    names.replace_in(step, fresh, sides=("outputs",))
    for role in caches & set(step.get("outputs") or ()):
        step["outputs"][role] = original["outputs"][role]
    name = work.insert(step, change.step)
    makes = f", which makes {', '.join(fresh.values())}" if fresh else ""
    work.edit.summary = f"Copied the step {change.step} to {name}{makes}."


def declare(work: Work, change: AddFolder | AddDataset) -> None:
    """Declare a folder or dataset, perhaps one that steps use already."""
    work.names.new_object(change.name, may_be_used=True)
    kind = "folder" if isinstance(change, AddFolder) else "dataset"
    options = plain(dict(change.options))
    section = {**(work.facts.get(f"{kind}s") or {})}
    work.facts[f"{kind}s"] = {**section, change.name: options["path"] if list(options) == ["path"] else options}
    work.edit.select = f"{kind}:{change.name}"
    work.edit.summary = f"Added the {kind} {change.name}."


def add_plugin(work: Work, change: AddPlugin) -> None:
    """Let the project use another plugin."""
    plugins = list(work.facts.get("plugins") or [])
    if change.path in plugins:
        raise JobError([f"The project has the plugin {change.path} already."])
    work.facts["plugins"] = [*plugins, change.path]
    work.edit.summary = f"Added the plugin {change.path}."
