"""The edit that changes a step."""

from __future__ import annotations

from minihost.errors import JobError
from minihost.parameters.plain import plain
from minihost.projects.editing.changes import SetStep
from minihost.projects.editing.work import Work, filled, put
from minihost.suggestions import one_of


def set_step(work: Work, change: SetStep) -> None:
    """Set what is named; a role without references and a parameter that is unset go."""
    step, name = work.step(change.step), work.names.step(change.step)
    parts = []
    for side, roles in (("inputs", change.inputs), ("outputs", change.outputs)):
        if roles:
            parts.append(f"{side} {', '.join(roles)}")
            put(step, side, filled({**(step.get(side) or {}), **roles}))
    held = dict(step.get("params") or {})
    if missing := [param for param in change.unset if param not in held]:
        known = f" Set are: {one_of(map(str, held))}."
        raise JobError([f"The step {name} sets no parameter {param!r}.{known}" for param in missing])
    if change.params or change.unset:
        parts.append(f"parameters {', '.join([*change.params, *change.unset])}")
        kept = {param: value for param, value in held.items() if param not in change.unset}
        put(step, "params", {**kept, **plain(dict(change.params))})
    if change.creates is not None:
        parts.append("what it creates")
        put(step, "creates", list(change.creates))
    if change.partition is not None:
        parts.append("its partition")
        put(step, "partition", change.partition)
    if change.name is not None and change.name != name:
        parts.append(f"its name, now {change.name}")
        step["name"] = work.names.new_step(change.name)
        work.edit.records.append((name, change.name))
    if not parts:
        raise JobError([f"Say what is to change in the step {name}."])
    work.edit.summary = f"Changed the step {name}: {'; '.join(parts)}."
    name = change.name or name
    work.edit.select = f"step:{name}"
    work.edit.steps.add(name)
