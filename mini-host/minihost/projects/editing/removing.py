"""The edit that takes steps, folders and datasets out of a flow. Their data stays."""

from __future__ import annotations

from minihost.errors import JobError
from minihost.projects.editing.changes import Remove
from minihost.projects.editing.facts import Kept
from minihost.projects.editing.work import Work, put
from minihost.projects.flow_graph import Node

SECTIONS = {"folder": "folders", "dataset": "datasets"}


def remove(work: Work, change: Remove) -> None:
    """Take out what is named; refuses to leave a step without what it reads, unless that is forced."""
    nodes = list({node.id: node for node in map(work.names.node, change.names)}.values())
    if not nodes:
        raise JobError(["Name what is to be removed."])
    steps = {node.name for node in nodes if node.is_step}
    objects = [node for node in nodes if not node.is_step]
    mistakes = [] if change.force else _still_needed(work, steps, objects)
    mistakes += [
        f"{node.name!r} is not declared in flow.yaml: it is there because {_listed(users)}. Remove that instead."
        for node in objects
        if node.name not in work.names.declared and (users := _users(work, node, steps))
    ]
    if mistakes:
        raise JobError(mistakes)
    if steps:
        work.facts["steps"] = [
            step for step in work.steps if not (isinstance(step, Kept) and work.before[step.place] in steps)
        ]
    for node in objects:
        section = SECTIONS[node.kind]
        put(work.facts, section, {k: v for k, v in (work.facts.get(section) or {}).items() if str(k) != node.name})
    work.edit.unused = _unused(work, steps, objects)
    what = ", ".join(f"the {'step' if node.is_step else node.kind} {node.name}" for node in nodes)
    rest = f" Nothing uses {', '.join(work.edit.unused)} any more." if work.edit.unused else ""
    work.edit.summary = f"Removed {what}. No data was deleted.{rest}"


def _still_needed(work: Work, steps: set[str], objects: list[Node]) -> list[str]:
    """Why the steps that stay need what is to go."""
    graph, mistakes = work.names.graph, []
    for name in sorted(steps, key=work.before.index):
        for edge in graph.edges:
            if edge.source != f"step:{name}" or edge.is_cache:
                continue
            thing = graph.by_id[edge.target]
            makers = [one.name for one in graph.makers(thing.id) if one.name not in steps]
            readers = [one.name for one in graph.readers(thing.id) if one.name not in steps]
            if readers and not makers:
                mistakes.append(
                    f"{thing.name!r}, which {name} makes, is read by {_listed(readers)}. Remove {_listed(readers)} as "
                    "well, or use --force: then what is there already is read."
                )
    for node in objects:
        users = _users(work, node, steps)
        if users and node.name in work.names.declared:
            them = "that step" if len(users) == 1 else "those steps"
            mistakes.append(f"{node.name!r} is still used: {_listed(users)}. Remove {them} as well.")
    return mistakes


def _users(work: Work, node: Node, gone: set[str]) -> list[str]:
    """What the steps that stay do with an object."""
    ends = [
        (edge.source, "makes") if edge.target == node.id else (edge.target, "reads")
        for edge in work.names.graph.edges
        if node.id in (edge.source, edge.target)
    ]
    named = [(work.names.graph.by_id[step].name, verb) for step, verb in ends]
    return list(dict.fromkeys(f"the step {name} {verb} it" for name, verb in named if name not in gone))


def _unused(work: Work, steps: set[str], objects: list[Node]) -> list[str]:
    """What is declared and was used only by the steps that go."""
    going = {node.id for node in objects}
    return [
        node.name
        for node in work.names.graph.nodes
        if not node.is_step
        and node.id not in going
        and node.name in work.names.declared
        and _users(work, node, set())
        and not _users(work, node, steps)
    ]


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
