"""The page of web apps: those of every plugin in reach, started with their parameters, with their link, and stopped."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask, Response, abort, jsonify, render_template

from minihost.parameters.resolving import Given
from minihost.plugins import Component
from minihost.projects.planning import Request, plan
from minihost.runs import detached
from minihost.runs.detached import Detached
from minihost.ui import step_draft
from minihost.ui.edits import posted
from minihost.ui.moments import duration, moment
from minihost.ui.workspace import Workspace

ENDED_SHOWN = 5
_LINK = re.compile(r"^ {4}(http://127\.0\.0\.1:\d{1,5}/\?token=[\w-]+)$", re.MULTILINE)
"""The link as `minihost webapp` prints it, in a line of its own."""


@dataclass(frozen=True)
class Started:
    """A web app that was started from the page: `state` is starting, running, stopping, stopped or failed."""

    id: str
    component: str
    command: str
    since: float
    state: str
    link: str = ""
    said: str = ""


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/webapps` and what it asks for."""
    app.jinja_env.filters |= {"moment": moment, "duration": duration}

    @app.get("/webapps")
    def webapps() -> str:
        return render_template("webapps.html", plugins=_offered(workspace), started=_started(workspace))

    @app.get("/webapps/list")
    def webapps_list() -> str:
        return render_template("webapps_list.html", started=_started(workspace))

    @app.post("/webapps/start")
    def start_webapp() -> Response:
        facts = posted()
        component, params = facts.get("component"), facts.get("params", {})
        if facts.get("kind") == "webapp":  # its form, which holds what controls hold
            params = step_draft.posted(facts, workspace.opened()).params
        if not isinstance(component, str) or not isinstance(params, dict):
            abort(400, "A web app is wanted, and its parameters by name.")
        started = _start(workspace, component, {str(name): value for name, value in params.items()})
        return jsonify(id=started.id, command=started.command, summary="The web app starts.")


def _offered(workspace: Workspace) -> list[tuple[str, list[Component]]]:
    """The web apps in reach, by the label of their plugin."""
    catalogue = workspace.opened().catalogue
    found: dict[str, list[Component]] = {}
    for component in catalogue.components:
        if component.kind == "webapp":
            meta = catalogue.plugin(component.plugin_id).descriptor.get("meta")
            label = meta.get("label") if isinstance(meta, dict) else None
            found.setdefault(str(label or component.plugin_id), []).append(component)
    return list(found.items())


def _start(workspace: Workspace, component: str, params: dict[str, Any]) -> Detached:
    """Start a web app; raises `JobError` with what is wrong with its parameters before anything is started."""
    opened = workspace.read()
    wanted = Request(component=component, params=Given(params), kinds=("webapp",))
    planned = plan(replace(wanted, ask_choices=False), opened.catalogue, opened.project)
    name = planned.component.full_id
    arguments = ["webapp", name, "--port", "0"]
    arguments += [word for path in workspace.plugin_paths for word in ("--plugin", str(path.absolute()))]
    return detached.start(workspace.folder, detached.WEBAPPS, arguments, {"component": name}, params)


def _started(workspace: Workspace) -> list[Started]:
    """The web apps that run, and the last ones that ended."""
    found = detached.all_of(workspace.folder, detached.WEBAPPS)
    alive = [one for one in found if one.alive]
    return [_seen(one) for one in (*alive, *[one for one in found if not one.alive][:ENDED_SHOWN])]


def _seen(one: Detached) -> Started:
    link = _LINK.search(one.output) if one.alive else None
    stopped = detached.was_stopped(one.folder)
    if one.alive:
        state = "stopping" if stopped else "running" if link else "starting"
    else:
        state = "stopped" if stopped else "failed"
    said = _LINK.sub("", one.output).strip() if state == "failed" else ""
    name = one.about.get("component")
    return Started(
        one.id, name if isinstance(name, str) else "?", one.command, one.since, state, link[1] if link else "", said
    )
