"""What the fields of a step's form have to choose from now: columns are read, a plugin's Python is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import get_template_attribute

from minihost.datasets.sql import is_sql
from minihost.errors import HostError
from minihost.folders import is_remote
from minihost.parameters.controls import Option
from minihost.parameters.fields import Field
from minihost.parameters.schema import inner_params
from minihost.projects import choices
from minihost.projects.planning import question
from minihost.ui.component_form import all_mistakes, find, params_of
from minihost.ui.field_options import NODES
from minihost.ui.step_draft import Draft
from minihost.ui.step_view import view
from minihost.ui.workspace import Opened


def asked(draft: Draft, paths: dict[str, list[Any]], opened: Opened) -> list[dict[str, Any]]:
    """The fields at these paths drawn anew, with the problem where their choices could not be had."""
    component = draft.found(opened)
    if component is None:
        return []
    plugin = opened.catalogue.plugin(component.plugin_id)
    declared = params_of(component, plugin)
    level = view(draft, opened).params
    answers: dict[int, list[Option]] = {}
    problems: dict[str, str] = {}
    unmade = _unmade(draft, opened)
    project = replace(opened.project, pending=set(unmade))
    for key, path in paths.items():
        field = find(level, path)
        param = _declared(declared, path, plugin.parameter_sets) if field and field.is_dynamic else None
        if param is None:
            continue
        try:
            job = question(_without_mistakes(draft, level).request(), opened.catalogue, project)
            found = choices.ask(param, job)
            answers[id(param)] = [Option(one.value, one.label, one.group) for one in found]
        except HostError as err:
            waits = f"What there is to choose is known when {' and '.join(unmade)} can be read: run what makes it."
            problems[key] = waits if unmade else str(err)
    drawn = view(draft, opened, answers)
    return [
        {"id": key, "html": control(field, key), "problem": problems.get(key, "")}
        for key, path in paths.items()
        if (field := find(drawn.params, path)) is not None
    ]


def _unmade(draft: Draft, opened: Opened) -> list[str]:
    """The inputs that steps of the flow make, and have not made yet."""
    found = []
    for node in opened.graph.nodes:
        if not node.is_step and node.name in opened.project.flow.made:
            path = opened.project.find(NODES[node.kind], node.name).path
            is_there = is_remote(path) or is_sql(path) or Path(path).exists()
            found += [] if is_there else [node.name]
    return [ref for refs in draft.inputs.values() for ref in refs if ref in found]


def _without_mistakes(draft: Draft, level: list[Field]) -> Draft:
    """The step without the values that are wrong: they keep nobody from being asked for other choices."""
    wrong = {field.name for field in level if any(all_mistakes([field]))}
    return replace(draft, params={name: value for name, value in draft.params.items() if name not in wrong})


def _declared(params: list[dict[str, Any]], path: list[Any], sets: Any) -> dict[str, Any] | None:
    """The parameter at the path of a field."""
    found: dict[str, Any] | None = None
    for key in path[::2]:
        if not isinstance(key, str) or not key.isdecimal() or int(key) >= len(params):
            return None
        found = params[int(key)]
        params = inner_params(found, sets)
    return found


def control(field: Field, key: str) -> str:
    """The HTML of a field's control alone, whose label is for the element with this id."""
    return str(get_template_attribute("fields.html", "control")(field, key))
