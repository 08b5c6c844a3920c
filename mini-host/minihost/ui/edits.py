"""Edits of the flow that the page asks for, made by the same editor as those of the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Flask, Response, abort, jsonify, request

from minihost.errors import JobError
from minihost.projects.editing import Applied, FlowConflict, FlowEditor, change_of
from minihost.ui import strict_json
from minihost.ui.command_lines import command_line
from minihost.ui.workspace import Workspace


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/edit`: `{"change": {"kind": …}, "base": digest of the flow.yaml that the page shows}`."""

    @app.post("/edit")
    def edit() -> Response:
        facts = posted()
        change, base = facts.get("change"), facts.get("base")
        if not isinstance(change, dict) or not isinstance(base, str | None):
            raise JobError(["An edit is an object with `change`, an object, and `base`, a text."])
        wanted, opened = change_of(change), workspace.opened()
        applied = FlowEditor(workspace.folder, plugins=workspace.plugin_paths).apply(wanted, base=base)
        return answered(workspace, replace(applied, command=command_line(change, opened)))

    @app.errorhandler(FlowConflict)
    def conflict(err: FlowConflict) -> tuple[Response, int]:
        return jsonify(mistakes=[str(err)], conflict=err.diff), 409


def answered(workspace: Workspace, applied: Applied) -> Response:
    """Say what an edit did, and have states computed anew."""
    workspace.states.forget()
    return jsonify(
        digest=applied.digest,
        command=applied.command,
        summary=" ".join((applied.summary, *applied.warnings)),
        select=applied.select,
        unused=list(applied.unused),
    )


def posted() -> dict[str, Any]:
    """Return the JSON object that was posted; anything else is answered with 400."""
    try:
        facts = strict_json.read(request.get_data()) if request.is_json else None
    except ValueError as err:
        abort(400, f"This request is no JSON that can be read: {err}.")
    if not isinstance(facts, dict):
        abort(400, "A JSON object is expected.")
    return facts
