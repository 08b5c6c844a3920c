"""The page of the flow, and what it asks for again and again: the states of its steps."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, jsonify, render_template, request

from minihost.ui.workspace import Workspace


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/` and `/state`."""

    @app.get("/")
    def flow() -> str:
        opened = workspace.opened()
        return render_template("flow.html", opened=opened, states=workspace.known())

    @app.get("/state")
    def state() -> Response | tuple[str, int]:
        opened, known = workspace.opened(), workspace.known()
        rev = f"{opened.digest[:16]}-{known.rev}"
        if request.args.get("seen") == rev:
            return "", 204
        facts: dict[str, Any] = {"rev": rev, "digest": opened.digest, "broken": opened.mistakes}
        return jsonify(**facts, steps=known.steps, running=[])
