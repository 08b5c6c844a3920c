"""The command line of an edit as the page shows it: without passwords, and without a kind that goes without saying."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minihost.errors import JobError
from minihost.parameters.resolving import Given, resolve
from minihost.plugins import Component
from minihost.projects.editing import change_of
from minihost.ui.component_form import params_of
from minihost.ui.workspace import Opened

STEPS = ("recipe", "macro")


def command_line(change: Mapping[str, Any], opened: Opened) -> str:
    """The `minihost` line that makes an edit; raises `JobError` where it is none."""
    public = masked(change, opened)
    if public.get("component_kind") in STEPS and _found(opened, public.get("component"), STEPS):
        public = {key: value for key, value in public.items() if key != "component_kind"}
    return change_of(public).command


def masked(change: Mapping[str, Any], opened: Opened) -> dict[str, Any]:
    """The edit with `…` in place of every password, those inside presets too."""
    component, params = _subject(change, opened)
    if component is None or "params" not in change:
        return dict(change)
    plugin = opened.catalogue.plugin(component.plugin_id)
    given = Given({**params, **change["params"]}, is_open=True)
    secrets = set(resolve(params_of(component, plugin), given, plugin.parameter_sets).secrets)

    def shown(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shown(item) for key, item in value.items()}
        if isinstance(value, list):
            return [shown(item) for item in value]
        return "…" if isinstance(value, str) and value in secrets else value

    return {**change, "params": shown(change["params"])}


def _subject(change: Mapping[str, Any], opened: Opened) -> tuple[Component | None, Mapping[str, Any]]:
    """The component that an edit's parameters are of, and what the flow gives for them already."""
    if change.get("kind") == "add_step":
        kind = change.get("component_kind")
        return _found(opened, change.get("component"), (kind,) if isinstance(kind, str) and kind else STEPS), {}
    name = str(change.get("step", "")).removeprefix("step:")
    step = next((step for step in opened.project.flow.steps if step.name == name), None)
    return (_found(opened, step.component, (step.kind,)), step.params) if step else (None, {})


def _found(opened: Opened, name: Any, kinds: tuple[str, ...]) -> Component | None:
    try:
        return opened.catalogue.component(str(name), kinds)
    except JobError:
        return None
