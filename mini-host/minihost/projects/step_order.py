"""The order in which the steps of a flow run: each after those that make what it reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from minihost.projects.flow import Flow, Step


@dataclass(frozen=True)
class OrderMistake:
    """Why steps have no order, and their names."""

    text: str
    steps: tuple[str, ...]


def mistakes(flow: Flow) -> list[OrderMistake]:
    """Say why the steps have no order: things that two steps make, and steps that wait for each other."""
    return [*_shared(flow), *_circles(flow)]


def ordered(flow: Flow) -> list[Step]:
    """Return the steps in an order in which they can run; those of a circle stand where they would be without it."""
    waits = _waits(flow)
    done: dict[str, None] = {}
    while len(done) < len(waits):
        done |= dict.fromkeys(_ready(waits, done)[:1] or _circle(waits, done))
    by_name = {step.name: step for step in flow.steps}
    return [by_name[name] for name in done]


def needs(flow: Flow, step: Step) -> list[Step]:
    """Return the steps whose outputs a step reads, itself left out."""
    wanted = {ref for _role, ref in step.inputs}
    if step.kind == "macro":
        wanted |= {value for value in step.params.values() if isinstance(value, str)}
    return [other for other in flow.steps if other is not step and wanted & set(other.makes)]


def _waits(flow: Flow) -> dict[str, list[str]]:
    """Step -> the steps that it waits for, by name."""
    return {step.name: [need.name for need in needs(flow, step)] for step in flow.steps}


def _ready(waits: dict[str, list[str]], done: dict[str, None]) -> list[str]:
    """The steps that could run next."""
    return [name for name, needed in waits.items() if name not in done and all(need in done for need in needed)]


def _shared(flow: Flow) -> Iterator[OrderMistake]:
    makers: dict[str, str] = {}
    for step in flow.steps:
        for ref in dict.fromkeys(step.makes):
            if ref in makers:
                text = f"{ref!r} is written by two steps, {makers[ref]} and {step.name}; each thing has one maker."
                yield OrderMistake(text, (makers[ref], step.name))
            makers.setdefault(ref, step.name)
    for step in flow.steps:
        for ref in dict.fromkeys(step.writes):
            if ref in makers and ref not in step.makes:
                text = (
                    f"{ref!r} is a cache of {step.name} and an output of {makers[ref]}; a cache needs its own folder."
                )
                yield OrderMistake(text, (step.name, makers[ref]))


def _circles(flow: Flow) -> Iterator[OrderMistake]:
    waits = _waits(flow)
    done: dict[str, None] = {}
    while len(done) < len(waits):
        if ready := _ready(waits, done):
            done |= dict.fromkeys(ready)
            continue
        circle = _circle(waits, done)
        text = f"the steps {' -> '.join([*circle, circle[0]])} wait for each other in a circle."
        yield OrderMistake(text, tuple(circle))
        done |= dict.fromkeys(circle)


def _circle(waits: dict[str, list[str]], done: dict[str, None]) -> list[str]:
    """The steps of one circle among those that are not done, in the order of the arrows."""
    name = next(name for name in waits if name not in done)
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = next(need for need in waits[name] if need not in done)
    return [name, *path[path.index(name) + 1 :][::-1]]
