"""The page of the flow, and what it asks for again and again: the states of its steps."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, jsonify, render_template, request

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
        opened, known = workspace.opened(), workspace.known()
        rev = f"{opened.digest[:16]}-{known.rev}"
        if request.args.get("seen") == rev:
            return "", 204
        facts: dict[str, Any] = {"rev": rev, "digest": opened.digest, "broken": opened.mistakes}
        return jsonify(**facts, steps=known.steps, running=[])
