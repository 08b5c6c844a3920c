"""A step's form ready to be drawn: its roles and parameters as fields, each mistake beside what it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from minihost.errors import JobError
from minihost.parameters.controls import Option
from minihost.parameters.entries import UNKNOWN
from minihost.parameters.fields import Choice, Field, fields
from minihost.parameters.resolving import filled
from minihost.plugins import Component, Plugin, Role
from minihost.projects.planning import has_roles, plan
from minihost.ui.component_form import all_mistakes, form_of, params_of, state
from minihost.ui.field_options import FieldOptions, for_role
from minihost.ui.step_draft import ANY_ROLES, Draft, Filled
from minihost.ui.workspace import Opened


@dataclass(frozen=True)
class StepView:
    """The form of a step. `mistakes` are those that stand beside no field; `component` is None where nobody has it."""

    draft: Draft
    component: Component | None
    inputs: list[Field]
    outputs: list[Field]
    params: list[Field]
    mistakes: list[str]
    is_partitioned: bool

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong with the step."""
        return not (self.mistakes or any(all_mistakes([*self.inputs, *self.outputs, *self.params])))

    def state(self) -> dict[str, Any]:
        """What changes in the page while somebody types."""
        sides = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        levels = {name: state(level) for name, level in sides.items()}
        return levels | {"mistakes": self.mistakes, "partitioned": self.is_partitioned, "right": self.is_right}


def view(draft: Draft, opened: Opened, answers: Mapping[int, Sequence[Option]] | None = None) -> StepView:
    """The form of a step as it is filled in; `answers` are choices that were asked for, by the parameter's identity."""
    component, mistakes = draft.found(opened), _mistakes(draft, opened)
    if component is None:
        inputs, outputs = (_roles((), given, opened, False) for given in (draft.inputs, draft.outputs))
        params = fields([], draft.params, {})
    else:
        plugin = opened.catalogue.plugin(component.plugin_id)
        params = form_of(component, plugin, draft.params, offers_of(draft, opened, component, plugin, answers))
        inputs = _roles(component.inputs, draft.inputs, opened, False, has_roles(component))
        outputs = _roles(component.outputs, draft.outputs, opened, True, has_roles(component))
    beside = set(all_mistakes(params))
    others = [text for text in mistakes if text not in beside]
    inputs, others = _placed(inputs, others, r"(?:The input role|There is no input role|Input) {}[ .:]")
    outputs, others = _placed(outputs, others, r"(?:The output role|There is no output role|Output) {}[ .:]")
    params, others = _placed(params, others, r"(?:There is no p|P)arameter {}[ .:]")
    return StepView(draft, component, inputs, outputs, params, others, _is_partitioned(draft, opened))


def offers_of(
    draft: Draft,
    opened: Opened,
    component: Component,
    plugin: Plugin,
    answers: Mapping[int, Sequence[Option]] | None = None,
) -> FieldOptions:
    """What the step's fields offer to choose."""
    values = filled(params_of(component, plugin), draft.params, plugin.parameter_sets)
    return FieldOptions(opened, draft.inputs, values, answers)


def _mistakes(draft: Draft, opened: Opened) -> list[str]:
    """Every mistake of a run of the step; what other steps make need not be there yet."""
    others = [step for step in opened.project.flow.steps if step.name != draft.step]
    flow = replace(opened.project.flow, steps=(*others, draft.as_step()))
    project = replace(opened.project, flow=flow, pending={ref for step in others for ref in step.writes})
    try:
        plan(draft.request(), opened.catalogue, project)
    except JobError as err:
        return err.mistakes
    return []


def _placed(level: list[Field], mistakes: list[str], pattern: str) -> tuple[list[Field], list[str]]:
    """The fields with the mistakes that begin with their names, and the mistakes that are left."""
    answer, left = [], list(mistakes)
    for field in level:
        about = re.compile(pattern.format(re.escape(repr(field.name))))
        own = [text for text in left if field.is_visible and about.match(text)]
        left = [text for text in left if text not in own]
        answer.append(replace(field, mistakes=(*field.mistakes, *own)) if own else field)
    return answer, left


def _roles(
    roles: tuple[Role, ...], given: Filled, opened: Opened, is_output: bool, are_named: bool = True
) -> list[Field]:
    if not are_named:
        held = [[role, ref] for role, refs in given.items() for ref in refs]
        about = "This recipe names no roles: give each any name that its code knows."
        return [Field(ANY_ROLES, "", "pairs", "Outputs" if is_output else "Inputs", about, held)]
    known = {role.name for role in roles}
    unknown = [Role(name, many=True, accepts_folder=True) for name in given if name not in known]
    keys = [str(number) for number in range(len(roles))] + [UNKNOWN + role.name for role in unknown]
    return [
        _role(key, role, given.get(role.name, []), opened, is_output)
        for key, role in zip(keys, (*roles, *unknown), strict=True)
    ]


def _role(key: str, role: Role, refs: list[str], opened: Opened, is_output: bool) -> Field:
    options = for_role(opened, role)
    choices = {
        option.value: Choice(option.value, option.label, option.group, option.value in refs) for option in options
    }
    if not is_output:
        choices |= {ref: Choice(ref, ref, "", True, True) for ref in refs if ref not in choices}
    many = role.many or len(refs) > 1
    controls = ("list", "suggest") if is_output else ("multiselect", "select")
    return Field(
        key=key,
        name=role.name,
        control=controls[0 if many else 1],
        label=role.label or role.name,
        description=role.description,
        entry=list(refs) if many else "".join(refs),
        choices=tuple(choices.values()),
        is_typed=True,
        is_plain=True,
        is_mandatory=role.required,
        is_set=bool(refs),
    )


def _is_partitioned(draft: Draft, opened: Opened) -> bool:
    flow = opened.project.flow
    refs = [ref for side in (draft.inputs, draft.outputs) for refs in side.values() for ref in refs]
    declared = (declared.get(ref) or {} for ref in refs for declared in (flow.datasets, flow.folders))
    return bool(draft.partition) or any(options.get("partitioning") for options in declared)
