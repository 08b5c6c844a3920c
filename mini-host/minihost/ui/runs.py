"""Starts builds: what the page asks for is checked first, and runs by itself, whatever becomes of this server."""

from __future__ import annotations

import threading

from flask import Flask, Response, abort, jsonify

from minihost.errors import JobError
from minihost.projects import builds
from minihost.projects.building import Build
from minihost.runs import detached
from minihost.ui.edits import posted
from minihost.ui.moments import moment
from minihost.ui.workspace import Workspace

_one_at_a_time = threading.Lock()


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/run`."""

    @app.post("/run")
    def run() -> Response | tuple[Response, int]:
        facts = posted()
        targets = facts.get("targets", [])
        if not isinstance(targets, list) or not all(isinstance(one, str) for one in targets):
            abort(400, "A list of targets is wanted: names of steps, or of what they make.")
        with _one_at_a_time:
            steps = _steps(workspace, targets)
            if busy := _busy(workspace, steps):
                return jsonify(mistakes=busy), 409
            arguments = ["build", *(["--force"] if facts.get("force") is True else [])]
            arguments += [word for path in workspace.plugin_paths for word in ("--plugin", str(path.absolute()))]
            arguments += ["--", *targets] if any(one.startswith("-") for one in targets) else targets
            started = detached.start(workspace.folder, detached.BUILDS, arguments, {"steps": steps})
        return jsonify(id=started.id, command=started.command)


def _steps(workspace: Workspace, targets: list[str]) -> list[str]:
    """The steps that a build of the targets may run; raises `JobError` with every mistake that it would end with."""
    opened = workspace.read()
    if opened.mistakes:
        raise JobError([*opened.mistakes])
    build = Build(opened.project, opened.catalogue)
    steps = build.wanted(targets)
    if mistakes := build.mistakes_of(steps):
        raise JobError(mistakes)
    return [step.name for step in steps]


def _busy(workspace: Workspace, steps: list[str]) -> list[str]:
    """Why these steps cannot be built now: another build runs them, or will; two writers of one output are refused."""
    found = []
    for build in builds.live_builds(workspace.folder):
        if common := [name for name in steps if name in build.open_steps]:
            names = ", ".join(common[:3]) + (f" and {len(common) - 3} more" if len(common) > 3 else "")
            text = f"{names}: a build of {moment(build.since)} runs this already ({build.command})."
            found.append(f"{text} Wait for it to end, or stop it.")
    return found
