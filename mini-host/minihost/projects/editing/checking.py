"""Whether the steps of a flow are as `minihost build` takes them; what is not filled in yet is no mistake."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field

from minihost.errors import HostError, JobError
from minihost.parameters.forms import named
from minihost.parameters.resolving import secrets
from minihost.plugins.discovery import Catalogue
from minihost.plugins.foreign_kinds import why_not_run
from minihost.projects import step_order
from minihost.projects.flow import Step
from minihost.projects.planning import of_step, plan
from minihost.projects.project import Project
from minihost.projects.step_order import OrderMistake


@dataclass
class Checked:
    """Mistakes in the order of the steps, and mistakes and passwords by the step that they are in."""

    of_order: list[OrderMistake]
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    passwords: dict[str, list[str]] = field(default_factory=dict)
    """Parameters that hold a password, by step."""


def checked(project: Project, catalogue: Catalogue, steps: Iterable[str]) -> Checked:
    """Check the steps of these names, and the order of all; the project is for this alone."""
    flow = project.flow
    all_steps = tuple(_with_caches(step, catalogue) for step in flow.steps)
    project.flow = dataclasses.replace(flow, steps=all_steps)
    project.pending = {*flow.made, *flow.folders, *flow.datasets}
    found = Checked(step_order.mistakes(project.flow))
    wanted = set(steps)
    for step in all_steps:
        if step.name in wanted:
            found.mistakes[step.name] = list(_mistakes(step, project, catalogue))
            found.passwords[step.name] = _passwords(step, catalogue)
    return found


def _mistakes(step: Step, project: Project, catalogue: Catalogue) -> list[str]:
    try:
        planned = plan(of_step(step, ask_choices=False, is_form=True), catalogue, project)
    except JobError as err:
        return err.mistakes
    except HostError as err:
        return [str(err)]
    reason = why_not_run(planned.component)
    return [reason] if reason else []


def _passwords(step: Step, catalogue: Catalogue) -> list[str]:
    try:
        component = catalogue.component(step.component, (step.kind,))
    except JobError:
        return []
    sets = catalogue.plugin(component.plugin_id).parameter_sets
    return [one["name"] for one in named(component.params) if any(secrets([one], step.params, sets))]


def _with_caches(step: Step, catalogue: Catalogue) -> Step:
    """The step with the output roles that its plugin declares as caches."""
    try:
        component = catalogue.component(step.component, (step.kind,))
    except JobError:
        return step
    return dataclasses.replace(step, caches=frozenset(role.name for role in component.outputs if role.is_cache))
