"""The edit that gives a step, a folder or a dataset another name, wherever the name stands."""

from __future__ import annotations

from minihost.errors import JobError
from minihost.projects.editing.changes import Rename, SetStep
from minihost.projects.editing.removing import SECTIONS
from minihost.projects.editing.setting import set_step
from minihost.projects.editing.work import Work
from minihost.projects.flow_graph import Node
from minihost.projects.project import OWN
from minihost.projects.reference_names import ENDINGS, is_path

_PLACES = ("path", "url", "table", "connection")


def rename(work: Work, change: Rename) -> None:
    """Rename one thing. Data that the host keeps under the name moves with it; what is used by its path gets a name."""
    node = work.names.node(change.old)
    if change.new == node.name:
        raise JobError([f"{node.name!r} has that name already."])
    if node.is_step:
        set_step(work, SetStep(node.name, name=change.new))
        work.edit.summary = f"Renamed the step {node.name} to {change.new}."
        return
    work.names.new_object(change.new, may_be_used=False)
    section = SECTIONS[node.kind]
    declared = work.facts.get(section) or {}
    if node.name in map(str, declared):
        work.facts[section] = {change.new if str(key) == node.name else key: value for key, value in declared.items()}
    elif is_path(node.name) or (work.names.project.dir / node.name).exists() and not _kept(work, node):
        work.facts[section] = {**declared, change.new: node.name}
    work.edit.moves += [(name, name.replace(node.name, change.new, 1)) for name in _kept(work, node)]
    users: list[str] = []
    for step, name in zip(work.facts.get("steps") or (), work.before, strict=True):
        before = repr(step)
        work.names.replace_in(step, {node.name: change.new})
        if repr(step) != before:
            users.append(name)
    again = f" Steps that use it run again at the next build: {', '.join(users)}." if users else ""
    work.edit.select = f"{node.kind}:{change.new}"
    work.edit.summary = f"Renamed the {node.kind} {node.name} to {change.new}.{again}"


def _kept(work: Work, node: Node) -> list[str]:
    """The files and folders in the host's folder of data that go by a name."""
    project = work.names.project
    options = (project.flow.folders if node.kind == "folder" else project.flow.datasets).get(node.name, {})
    if any(place in options for place in _PLACES) or is_path(node.name):
        return []
    is_folder = node.kind == "folder" or bool(options.get("partitioning"))
    names = [node.name] if is_folder else [f"{node.name}{ending}" for ending in ENDINGS]
    place = project.dir / OWN / "data"
    return [name for name in names if (place / name).exists()]
