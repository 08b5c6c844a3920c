"""Reads one plugin folder into a `Plugin`: JSON only, nothing imported or run, what is wrong collected, not raised."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.lenient_json import LenientJsonError, read_object
from minihost.plugins import KINDS, Component, Plugin, Role
from minihost.plugins.foreign_kinds import foreign_components
from minihost.plugins.host_section import section

PLUGIN_FILE = "plugin.json"
SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""What may be part of a path. DSS itself allows `[A-Za-z0-9_-]+`; `check` says so where an id has a dot."""

COMPONENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,127}")
"""What may be the id of a component: the name of its folder, with the spaces that some public plugins have in it."""

LEFT_OUT = "left out: "
"""Stands in problems of a plugin before the reason why a component is not there."""

DATASET_FLAG, FOLDER_FLAG, MODEL_FLAG = "acceptsDataset", "acceptsManagedFolder", "acceptsSavedModel"


class NotAPlugin(HostError):
    """A folder that cannot be used as a plugin at all; the message says why.

    `rule` of `minihost check` and `text` are set where its plugin.json is what is wrong.
    """

    def __init__(self, message: str, rule: str = "", text: str = "") -> None:
        super().__init__(message)
        self.rule, self.text = rule, text


def _reason(err: LenientJsonError, path: Path) -> str:
    """What is wrong with a file, without its path."""
    return str(err).removeprefix(f"{path}: ")


def read_plugin(root: Path) -> Plugin:
    """Read the plugin in a folder; raise `NotAPlugin` without a readable `plugin.json` that has a usable id."""
    problems: list[str] = []
    try:
        document = read_object(root / PLUGIN_FILE)
    except LenientJsonError as err:
        rule = "json-unreadable" if (root / PLUGIN_FILE).is_file() else ""
        raise NotAPlugin(f"{root} is not a plugin: {err}", rule, _reason(err, root / PLUGIN_FILE)) from err
    problems += [f"{PLUGIN_FILE}: {warning}" for warning in document.warnings]
    descriptor = document.value
    plugin_id = descriptor.get("id")
    if not isinstance(plugin_id, str) or not SAFE_ID.fullmatch(plugin_id):
        got = "has no 'id'" if plugin_id is None else f"the id is {plugin_id!r}"
        text = f"{got}; letters, digits, '_' and '-' are expected, at most 64 of them"
        raise NotAPlugin(f"{root / PLUGIN_FILE}: {text}", "plugin-id", text)
    components = [
        component
        for kind in KINDS
        for folder in _component_folders(root / KINDS[kind][0], KINDS[kind][1])
        if (component := _read_component(plugin_id, kind, folder, problems)) is not None
    ]
    return Plugin(
        id=plugin_id,
        version=str(descriptor.get("version") or "0.0.0"),
        root=root,
        descriptor=descriptor,
        components=tuple(components),
        parameter_sets=_read_parameter_sets(root, problems),
        problems=tuple(problems),
        foreign=tuple(foreign_components(root, plugin_id)),
    )


def parameters(descriptor: dict[str, Any], key: str = "params") -> tuple[dict[str, Any], ...]:
    """The parameter objects of a descriptor, whatever else stands in their list left out."""
    found = descriptor.get(key)
    return tuple(param for param in found if isinstance(param, dict)) if isinstance(found, list) else ()


def _dataset_of(chart: dict[str, Any], params: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """The parameter of the dataset that a custom chart draws: DSS asks for it before the form, under this name.

    It may stay empty: a project with one dataset leaves no choice, and backends get the name from the page's request.
    """
    name = chart.get("datasetParamName")
    if not isinstance(name, str) or not name or any(param.get("name") == name for param in params):
        return []
    return [{"name": name, "type": "DATASET", "label": "Dataset", "mandatory": False}]


def _component_folders(folder: Path, descriptor: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(child for child in folder.iterdir() if (child / descriptor).is_file())


def _read_component(plugin_id: str, kind: str, folder: Path, problems: list[str]) -> Component | None:
    where = f"{folder.parent.name}/{folder.name}/{KINDS[kind][1]}"
    try:
        document = read_object(folder / KINDS[kind][1])
    except LenientJsonError as err:
        problems.append(f"{where}: {LEFT_OUT}{_reason(err, folder / KINDS[kind][1])}")
        return None
    if not COMPONENT_ID.fullmatch(folder.name):
        problems.append(f"{where}: {LEFT_OUT}{folder.name!r} is not a usable component id")
        return None
    problems += [f"{where}: {warning}" for warning in document.warnings]
    descriptor = document.value
    params = parameters(descriptor)
    if kind == "macro":
        params += parameters(descriptor, "adminParams")
    chart = descriptor.get("chart")
    if kind == "webapp" and isinstance(chart, dict):
        params += parameters(chart, "topBarParams") + parameters(chart, "leftBarParams")
        params = (*_dataset_of(chart, params), *params)
    return Component(
        plugin_id=plugin_id,
        id=folder.name,
        kind=kind,
        folder=folder,
        descriptor=descriptor,
        inputs=_roles(descriptor.get("inputRoles")),
        outputs=_roles(descriptor.get("outputRoles")),
        params=params,
    )


def _roles(found: Any) -> tuple[Role, ...]:
    """Roles with the documented defaults: not required, a dataset yes, a folder no, a model no."""
    if not isinstance(found, list):
        return ()
    return tuple(
        Role(
            name=role["name"],
            label=str(role.get("label") or ""),
            description=str(role.get("description") or ""),
            required=bool(role.get("required", False)),
            many=role.get("arity") == "NARY",
            accepts_dataset=bool(role.get(DATASET_FLAG, True)),
            accepts_folder=bool(role.get(FOLDER_FLAG, False)),
            accepts_model=bool(role.get(MODEL_FLAG, False)),
            is_cache=section(role).get("cache") is True,
        )
        for role in found
        if isinstance(role, dict) and isinstance(role.get("name"), str)
    )


def _read_parameter_sets(root: Path, problems: list[str]) -> dict[str, dict[str, Any]]:
    sets: dict[str, dict[str, Any]] = {}
    for folder in _component_folders(root / "parameter-sets", "parameter-set.json"):
        where = f"parameter-sets/{folder.name}/parameter-set.json"
        try:
            document = read_object(folder / "parameter-set.json")
        except LenientJsonError as err:
            problems.append(f"{where}: {LEFT_OUT}{_reason(err, folder / 'parameter-set.json')}")
            continue
        problems += [f"{where}: {warning}" for warning in document.warnings]
        sets[folder.name] = document.value
    return sets
