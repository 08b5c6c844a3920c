"""The order in which the steps of a flow run: each after those that make what it reads."""

from __future__ import annotations

from collections.abc import Iterator

from minihost.projects.flow import Flow, Step


def mistakes(flow: Flow) -> list[str]:
    """Say why the steps have no order: things that two steps make, and steps that wait for each other."""
    return [*_shared(flow), *_cycles(flow)]


def ordered(flow: Flow) -> list[Step] | None:
    """Return the steps in an order in which they can run, None when some wait for each other."""
    done: list[Step] = []
    while len(done) < len(flow.steps):
        ready = [step for step in flow.steps if step not in done and all(need in done for need in needs(flow, step))]
        if not ready:
            return None
        done.append(ready[0])
    return done


def needs(flow: Flow, step: Step) -> list[Step]:
    """Return the steps whose outputs a step reads, itself left out."""
    wanted = {ref for _role, ref in step.inputs}
    if step.kind == "macro":
        wanted |= {value for value in step.params.values() if isinstance(value, str)}
    return [other for other in flow.steps if other is not step and wanted & set(other.makes)]


def _shared(flow: Flow) -> Iterator[str]:
    makers: dict[str, str] = {}
    for step in flow.steps:
        for ref in dict.fromkeys(step.makes):
            if ref in makers:
                yield f"{ref!r} is written by two steps, {makers[ref]} and {step.name}; each thing has one maker."
            makers.setdefault(ref, step.name)
    for step in flow.steps:
        for ref in dict.fromkeys(step.writes):
            if ref in makers and ref not in step.makes:
                yield f"{ref!r} is a cache of {step.name} and an output of {makers[ref]}; a cache needs its own folder."


def _cycles(flow: Flow) -> Iterator[str]:
    if ordered(flow) is None:
        waiting = _rest(flow)
        yield f"the steps {' -> '.join(step.name for step in waiting)} wait for each other in a circle."


def _rest(flow: Flow) -> list[Step]:
    """The steps of one circle."""
    done: list[Step] = []
    while ready := [
        step for step in flow.steps if step not in done and all(need in done for need in needs(flow, step))
    ]:
        done += ready
    step = next(step for step in flow.steps if step not in done)
    path: list[Step] = []
    while step not in path:
        path.append(step)
        step = next(need for need in needs(flow, step) if need not in done)
    return [*path[path.index(step) :], step][::-1]
