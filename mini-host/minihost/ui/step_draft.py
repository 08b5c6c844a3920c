"""A step as a form says it: drawn from the flow or for a new one, read from what was posted, made an edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from minihost.errors import JobError
from minihost.parameters.entries import UNKNOWN, read, same
from minihost.parameters.forms import named
from minihost.parameters.plain import plain
from minihost.parameters.resolving import Given
from minihost.plugins import Component, Role
from minihost.projects.flow import Step
from minihost.projects.planning import Request
from minihost.ui.component_form import read_form
from minihost.ui.workspace import Opened

Filled = dict[str, list[str]]
"""Role -> the references that fill it."""


@dataclass(frozen=True)
class Draft:
    """A step: `step` is its name in the flow, empty for a new one; `component` is written as flow.yaml writes it."""

    component: str
    kind: str = "recipe"
    step: str = ""
    name: str = ""
    inputs: Filled = field(default_factory=dict)
    outputs: Filled = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    creates: list[str] = field(default_factory=list)
    partition: str = ""

    def found(self, opened: Opened) -> Component | None:
        """The component; None where no plugin in reach has it."""
        try:
            return opened.catalogue.component(self.component, (self.kind,))
        except JobError:
            return None

    def as_step(self) -> Step:
        """The step as flow.yaml would have it."""
        return Step(
            name=self.name or self.component.rpartition("/")[2],
            kind=self.kind,
            component=self.component,
            inputs=_pairs(self.inputs),
            outputs=_pairs(self.outputs),
            params=self.params,
            creates=tuple(self.creates),
            partition=self.partition,
        )

    def request(self) -> Request:
        """The run that the step asks for; choices from Python are not asked for."""
        step = self.as_step()
        return Request(
            step.component,
            step.inputs,
            step.outputs,
            Given(self.params),
            kinds=(self.kind,),
            partition=self.partition,
            ask_choices=False,
        )


def _pairs(side: Filled) -> tuple[tuple[str, str], ...]:
    return tuple((role, ref) for role, refs in side.items() for ref in refs)


def _by_role(pairs: Iterable[tuple[str, str]]) -> Filled:
    filled: Filled = {}
    for role, ref in pairs:
        filled.setdefault(role, []).append(ref)
    return filled


def of_step(step: Step) -> Draft:
    """The step as the flow has it."""
    return Draft(
        component=step.component,
        kind=step.kind,
        step=step.name,
        name=step.name,
        inputs=_by_role(step.inputs),
        outputs=_by_role(step.outputs),
        params=plain(step.params),
        creates=list(step.creates),
        partition=step.partition,
    )


def in_flow(opened: Opened, name: str) -> Draft:
    """The step of that name; raises `JobError` where there is none."""
    found = next((step for step in opened.project.flow.steps if step.name == name), None)
    if found is None:
        raise JobError([f"There is no step {name!r} any more: it was removed or renamed. Go back to the flow."])
    return of_step(found)


def posted(facts: Mapping[str, Any], opened: Opened) -> Draft:
    """Read a posted form; raises `JobError` for one that does not fit."""
    texts = {key: _text(facts, key) for key in ("step", "component", "kind", "name", "partition")}
    if texts["kind"] not in ("recipe", "macro", "webapp"):
        raise JobError([f"A form is of a recipe, a macro or a webapp; got {texts['kind']!r:.60}."])
    drawn = in_flow(opened, texts["step"]) if texts["step"] else Draft(texts["component"], texts["kind"])
    draft = replace(drawn, name=texts["name"].strip(), partition=texts["partition"].strip())
    component, params = draft.found(opened), _object(facts, "params")
    roles = (component.inputs, component.outputs) if component else ((), ())
    draft = replace(
        draft,
        inputs=read_roles(roles[0], drawn.inputs, _object(facts, "inputs")),
        outputs=read_roles(roles[1], drawn.outputs, _object(facts, "outputs")),
        creates=_texts(facts.get("creates", []), "creates"),
    )
    if component is None:
        return replace(draft, params=read([], drawn.params, params, {}))
    plugin = opened.catalogue.plugin(component.plugin_id)
    draft = replace(draft, params=read_form(component, plugin, drawn.params, params))
    return replace(draft, creates=_created(draft, drawn, component, opened)) if draft.kind == "macro" else draft


def of_change(change: Mapping[str, Any], opened: Opened) -> Draft:
    """The new step of an edit that adds one: what the panel offers, before its form is filled in."""
    kind = change.get("component_kind", "recipe")
    component = opened.catalogue.component(_text(change, "component"), (str(kind),))
    return Draft(
        component=_text(change, "component"),
        kind=component.kind,
        inputs={role: _texts(refs, role) for role, refs in _object(change, "inputs").items()},
        outputs={role: _texts(refs, role) for role, refs in _object(change, "outputs").items()},
        params=plain(_object(change, "params")),
        creates=_texts(change.get("creates", []), "creates"),
    )


ANY_ROLES = "*"
"""The key of pairs of a role and a reference, for old recipes that name no roles."""


def read_roles(roles: tuple[Role, ...], drawn: Filled, held: Mapping[str, Any]) -> Filled:
    """What fills each role: a text or a list of texts under the number of the role, or `+NAME` for an unknown one."""
    keys = {role.name: str(number) for number, role in enumerate(roles)}
    keys |= {name: UNKNOWN + name for name in drawn if name not in keys}
    found: Filled = {}
    for name in [*drawn, *(name for name in keys if name not in drawn)]:
        entry = held.get(keys[name], drawn.get(name, []))
        refs = [entry] if isinstance(entry, str) else entry
        if texts := [text for ref in _texts(refs, name) if (text := ref.strip())]:
            found[name] = texts
    if ANY_ROLES in held:
        found = {}
        for pair in held[ANY_ROLES] if isinstance(held[ANY_ROLES], list) else ():
            role, ref = [*_texts(pair, "a role"), "", ""][:2]
            if role.strip() and ref.strip():
                found.setdefault(role.strip(), []).append(ref.strip())
    return found


def _created(draft: Draft, drawn: Draft, component: Component, opened: Opened) -> list[str]:
    """What a macro makes: also a folder with a new name that its parameters say, in place of one they said before."""
    creates = list(draft.creates)
    known = {node.name for node in opened.graph.nodes if not node.is_step} - set(drawn.creates)
    for param in named(component.params):
        if param.get("type") not in ("MANAGED_FOLDER", "FOLDER"):
            continue
        before, now = drawn.params.get(param["name"]), draft.params.get(param["name"])
        if before == now:
            continue
        if before in creates:
            creates.remove(before)
            creates += [now] if isinstance(now, str) and now and now not in creates else []
        elif isinstance(now, str) and now and now not in (*known, *creates) and not (opened.project.dir / now).exists():
            creates.append(now)
    return creates


def change(draft: Draft, drawn: Draft | None) -> dict[str, Any]:
    """The edit that makes the flow say what the form says; of a step that is there only what differs.

    Empty where nothing differs.
    """
    if drawn is None:
        facts = {"component": draft.component, "name": draft.name, "inputs": draft.inputs, "outputs": draft.outputs}
        facts |= {"params": draft.params, "creates": draft.creates, "partition": draft.partition}
        return {"kind": "add_step", "component_kind": draft.kind} | {
            key: value for key, value in facts.items() if value
        }
    facts = {
        "inputs": _different(draft.inputs, drawn.inputs),
        "outputs": _different(draft.outputs, drawn.outputs),
        "params": {
            name: value
            for name, value in draft.params.items()
            if name not in drawn.params or not same(value, drawn.params[name])
        },
        "unset": [name for name in drawn.params if name not in draft.params],
    }
    facts = {key: value for key, value in facts.items() if value}
    facts |= {"creates": draft.creates} if draft.creates != drawn.creates else {}
    facts |= {"partition": draft.partition} if draft.partition != drawn.partition else {}
    facts |= {"name": draft.name} if draft.name not in (drawn.name, "") else {}
    return {"kind": "set_step", "step": drawn.step} | facts if facts else {}


def _different(now: Filled, before: Filled) -> Filled:
    """The roles that are filled otherwise than before; an empty list for one that is empty now."""
    changed = {role: refs for role, refs in now.items() if refs != before.get(role)}
    return changed | {role: [] for role in before if role not in now}


def _text(facts: Mapping[str, Any], key: str) -> str:
    value = facts.get(key, "")
    if not isinstance(value, str):
        raise JobError([f"The form's {key!r} is {value!r:.60}; a text is expected."])
    return value


def _object(facts: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = facts.get(key, {})
    if not isinstance(value, dict):
        raise JobError([f"The form's {key!r} is {value!r:.60}; an object is expected."])
    return value


def _texts(value: Any, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise JobError([f"The form's {what!r} is {value!r:.60}; a list of texts is expected."])
    return value
