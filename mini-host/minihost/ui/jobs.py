"""The pages of what ran and runs: builds with their steps, single jobs with log, parameters and result."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, abort, jsonify, render_template, request, send_file

from minihost.errors import HostError
from minihost.projects import builds
from minihost.projects.project import DATASET, FOLDER
from minihost.runs import detached, job_records, live_folders, log_parts
from minihost.runs.job_records import JobRecord
from minihost.ui import macro_results
from minihost.ui.edits import posted
from minihost.ui.moments import duration, moment
from minihost.ui.workspace import Workspace

BUILDS_SHOWN = 12
"""Builds that ended and are listed; their jobs are in the history anyway."""

RESULT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
"""What the page of a macro may do: look, and nothing else."""


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/jobs`, `/job` and what they ask for, and `/stop`."""
    app.jinja_env.filters |= {"moment": moment, "duration": duration}
    place = workspace.folder

    @app.get("/jobs")
    def jobs() -> str:
        return render_template("jobs.html", **_listed(place))

    @app.get("/jobs/list")
    def jobs_list() -> str:
        return render_template("jobs_list.html", **_listed(place))

    @app.get("/job")
    def job() -> str:
        record = _record(place)
        return render_template("job.html", job=record, pages=_pages(workspace), **_head(workspace, record))

    @app.get("/job/log")
    def log() -> Response:
        record = _record(place)
        start, file = request.args.get("from", type=int), request.args.get("file", 0, type=int)
        over = record.ended is not None
        start = start if start is not None and start >= 0 else None
        part = log_parts.part(record.folder / "log", start, file, is_over=over)
        head = render_template("job_head.html", job=record, **_head(workspace, record))
        return jsonify(
            lines=part.lines, next=part.next, file=part.file, gap=part.gap, more=part.more, over=over, head=head
        )

    @app.get("/job/log/file")
    def log_file() -> Response:
        return _download(_record(place).folder / "log", "log.txt")

    @app.get("/job/result")
    def result() -> str:
        record = _record(place)
        return render_template("job_result.html", job=record, result=macro_results.shown(record))

    @app.get("/job/result/page")
    def result_page() -> Response:
        answer = _record(place).answer()
        if answer["type"] != "HTML":
            abort(404, "This job has no page as its result.")
        text = str(answer.get("text", ""))
        return Response(text, mimetype="text/html", headers={"Content-Security-Policy": RESULT_POLICY})

    @app.get("/job/result/file")
    def result_file() -> Response:
        path = _record(place).file()
        if path is None:
            abort(404, "This job has no file as its result.")
        return _download(path, path.name)

    @app.post("/stop")
    def stop() -> Response:
        name = posted().get("id")
        if not isinstance(name, str):
            abort(400, "An id of what to stop is wanted.")
        stores = (place / ".minihost" / store for store in (detached.BUILDS, detached.WEBAPPS))
        folder = next((one for store in stores for one in live_folders.newest_first(store) if one.name == name), None)
        if folder is None:
            abort(404, "It is not there any more.")
        return jsonify(said=detached.stop(folder))


def _listed(place: Path) -> dict[str, Any]:
    """What the list of jobs shows."""
    found = builds.builds(place)
    live = [one for one in found if one.alive]
    progress = {row["job"]: builds.progress_of(place, row) for one in live for row in one.steps if row["job"]}
    ended = [one for one in found if not one.alive][:BUILDS_SHOWN]
    return {"live": live, "ended": ended, "progress": progress, "jobs": job_records.records(place)}


def _record(place: Path) -> JobRecord:
    """The job that the address names."""
    try:
        return job_records.record(place, request.args.get("id", ""))
    except HostError as err:
        abort(404, str(err))


def _head(workspace: Workspace, record: JobRecord) -> dict[str, Any]:
    """What can be done with a job: `build` is the one that runs it now, `can_run` says that its step is in the flow."""
    if record.ended is not None:
        steps = workspace.opened().project.flow.steps
        return {"build": None, "can_run": record.step in {step.name for step in steps}}
    live = builds.live_builds(workspace.folder)
    build = next((one for one in live if record.id in [row["job"] for row in one.steps]), None)
    return {"build": build, "can_run": False}


def _pages(workspace: Workspace) -> dict[str, str]:
    """Where the objects of the flow lie -> their pages."""
    opened, found = workspace.opened(), {}
    for node in opened.graph.nodes:
        if not node.is_step:
            with contextlib.suppress(HostError):
                path = opened.project.find(DATASET if node.kind == "dataset" else FOLDER, node.name).path
                found[path] = f"/{node.kind}?{urlencode({'ref': node.name})}"
    return found


def _download(path: Path, name: str) -> Response:
    """A file as a download: no browser shows it as a page."""
    if path.is_symlink() or not path.is_file():
        abort(404, "This file is not there any more.")
    return send_file(path, mimetype="application/octet-stream", as_attachment=True, download_name=name)
