"""Says what is wrong with a recipe, macro or web app beyond its schema: what must fit together, and its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from minihost.parameters.checks import check_parameters
from minihost.plugins import KINDS, Component, Plugin, host_section, worker_section
from minihost.plugins.code_checks import check_python
from minihost.plugins.findings import Finding
from minihost.plugins.foreign_kinds import why_not_run
from minihost.plugins.manifests import DATASET_FLAG, FOLDER_FLAG
from minihost.plugins.schema_checks import check_schema
from minihost.suggestions import did_you_mean

DSS_ID = re.compile(r"[A-Za-z0-9_-]+")


def check_component(component: Component, plugin: Plugin) -> Iterator[Finding]:
    """Everything that is wrong with one component."""
    name = KINDS[component.kind][1]
    where = f"{component.folder.parent.name}/{component.id}/{name}"
    yield from check_schema(where, name, component.descriptor)
    if not DSS_ID.fullmatch(component.id):
        yield Finding("component-id", where, f"id {component.id!r}: letters, digits, '_' and '-' are expected")
    if reason := why_not_run(component):
        yield Finding("not-run-here", where, reason)
    yield from _CHECKS[component.kind](where, component)
    yield from _check_form(where, component, plugin)
    roles = {role.name for role in component.inputs}
    for rule, text in check_parameters(component.params, plugin.parameter_sets, roles):
        yield Finding(rule, where, text)
    yield from (Finding("host-section", where, text) for text in host_section.mistakes(component, plugin))
    yield from (Finding("host-section", where, text) for text in worker_section.mistakes(component, plugin))


def _check_form(where: str, component: Component, plugin: Plugin) -> Iterator[Finding]:
    setup = component.descriptor.get("paramsPythonSetup")
    template = component.descriptor.get("paramsTemplate")
    if setup and not _is_inside(plugin.resource, str(setup)):
        yield Finding("form-setup", where, f"paramsPythonSetup {setup!r} is not a file under resource/")
    elif setup:
        yield from check_python(plugin.resource / str(setup), f"resource/{setup}", "do")
    if template and not _is_inside(plugin.resource, str(template)):
        yield Finding("form-template", where, f"paramsTemplate {template!r} is not a file under resource/")
    dynamic = [param.get("name") for param in component.params if param.get("getChoicesFromPython")]
    if dynamic and not setup:
        text = f"{dynamic[0]!r} gets its choices from Python, but there is no paramsPythonSetup"
        yield Finding("param-choices-python", where, text)


def _check_recipe(where: str, component: Component) -> Iterator[Finding]:
    if not why_not_run(component):
        yield from check_python(component.runner, _runner(component))
    for side in ("inputRoles", "outputRoles"):
        yield from _check_roles(where, side, component.descriptor.get(side))
    names = [role.name for role in component.inputs]
    for key in ("selectableFromDataset", "selectableFromFolder"):
        chosen = component.descriptor.get(key)
        if chosen is not None and chosen not in names:
            near = did_you_mean(str(chosen), names)
            yield Finding("recipe-selectable", where, f"{key} names no input role: {chosen!r}.{near}")


def _check_roles(where: str, side: str, roles: Any) -> Iterator[Finding]:
    if roles is None:
        yield Finding("recipe-roles", where, f"no list of {side}")
    found = [role for role in roles if isinstance(role, dict)] if isinstance(roles, list) else []
    names = [role["name"] for role in found if isinstance(role.get("name"), str)]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield Finding("role-twice", where, f"{side} has {name!r} twice")
    for role in found:
        takes = [key for key in role if key.startswith("accepts") and role[key]]
        if role.get(FOLDER_FLAG) is True and DATASET_FLAG not in role:
            text = (
                f"role {role.get('name')!r} accepts folders, and datasets too, because it does not say {DATASET_FLAG}"
            )
            yield Finding("role-accepts", where, text)
        elif role.get(DATASET_FLAG) is False and not takes:
            yield Finding("role-accepts", where, f"role {role.get('name')!r} accepts nothing")


def _check_macro(where: str, component: Component) -> Iterator[Finding]:
    yield from check_python(component.runner, _runner(component), "class")
    names = [param.get("name") for param in component.params]
    roles = component.descriptor.get("macroRoles")
    for role in roles if isinstance(roles, list) else ():
        keys = [role.get("targetParamsKey")] if isinstance(role, dict) else []
        more = role.get("targetParamsKeys") if isinstance(role, dict) else None
        for key in [*keys, *(more if isinstance(more, list) else ())]:
            if key is not None and key not in names:
                text = f"a macro role fills the parameter {key!r}, which is not declared"
                yield Finding("macro-target", where, text)


def _check_webapp(where: str, component: Component) -> Iterator[Finding]:
    if why_not_run(component):
        return
    if str(component.descriptor.get("hasBackend")).lower() == "true":
        yield from check_python(component.runner, _runner(component))
    if not (component.folder / "body.html").is_file():
        yield Finding("webapp-page", where, "there is no body.html beside it: the page is empty")


_CHECKS: dict[str, Callable[[str, Component], Iterator[Finding]]] = {
    "recipe": _check_recipe,
    "macro": _check_macro,
    "webapp": _check_webapp,
}


def _runner(component: Component) -> str:
    return f"{component.folder.parent.name}/{component.id}/{component.runner.name}"


def _is_inside(folder: Path, name: str) -> bool:
    path = (folder / name).resolve()
    return path.is_relative_to(folder.resolve()) and path.is_file()
