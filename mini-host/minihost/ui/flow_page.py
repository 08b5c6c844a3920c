"""The page of the flow, and what it asks for again and again: the states of its steps."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Flask, Response, jsonify, render_template, request

from minihost.projects import builds
from minihost.projects.editing import FlowEditor
from minihost.ui.flow_picture import FlowPicture
from minihost.ui.graph.names import shown
from minihost.ui.workspace import Workspace


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/`, its fragments and `/state`."""
    flow_picture = FlowPicture(workspace)
    app.jinja_env.filters["visible"] = shown

    @app.get("/")
    def flow() -> str:
        return render_template("flow.html", **flow_picture.page())

    @app.get("/flow/graph")
    def flow_graph() -> str:
        return render_template("flow_graph.html", **flow_picture.picture())

    @app.get("/flow/list")
    def flow_list() -> str:
        return render_template("flow_list.html", **flow_picture.listed())

    @app.get("/state")
    def state() -> Response | tuple[str, int]:
        facts = _state(workspace)
        rev = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        if request.args.get("seen") == rev:
            return "", 204
        return jsonify(rev=rev, **facts)


def _state(workspace: Workspace) -> dict[str, Any]:
    """The version of flow.yaml, what is wrong with it, the state of each step, the builds that run, and whether there
    is an edit to undo."""
    opened = workspace.opened()
    running, live = builds.running_steps(workspace.folder), builds.live_builds(workspace.folder)
    workspace.states.now_running(frozenset(build.id for build in live))
    steps = {**workspace.known().steps, **running}
    names = [build.id for build in live]
    facts = {"digest": opened.digest, "broken": list(opened.mistakes), "steps": steps, "running": names}
    return {**facts, "undoable": FlowEditor(workspace.folder).has_edits()}
