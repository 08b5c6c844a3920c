"""How things come into a project: a folder that is dropped, a folder or file on this machine, an example."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from minihost.errors import JobError, counted
from minihost.folders import is_remote
from minihost.projects import examples
from minihost.projects.editing import AddDataset, AddFolder, Applied, FlowEditor
from minihost.projects.reference_names import ENDINGS, check_place, name_of
from minihost.suggestions import did_you_mean
from minihost.ui.edits import answered, posted
from minihost.ui.objects import places
from minihost.ui.uploads import Uploads
from minihost.ui.workspace import Workspace


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/upload` and what begins and ends one, `/place` and `/example`."""
    uploads = Uploads(workspace.folder)
    app.jinja_env.globals["examples_of"] = lambda: examples.examples(workspace.opened().catalogue)

    @app.post("/upload/begin")
    def begin() -> Response:
        return jsonify(id=uploads.begin())

    @app.put("/upload")
    def put() -> tuple[str, int]:
        uploads.put(request.args.get("id", ""), request.args.get("path", ""), request.stream)
        return "", 204

    @app.post("/upload/end")
    def end() -> Response:
        facts = posted()
        upload, into = str(facts.get("id", "")), facts.get("into")
        if into is None:
            with uploads.ended_as_new(upload, str(facts.get("name", ""))) as chosen:
                added = _added(workspace, AddFolder(_free(workspace, name_of(chosen)), {"path": chosen}))
            return answered(workspace, added)
        found = places.found(workspace.opened(), "folder", str(into))
        path = Path(found.reference.path)
        if not found.is_local or not path.is_dir():
            raise JobError([f"Files can be added to a folder on this machine; {into!r:.200} is none."])
        count = uploads.end_in(upload, path)
        workspace.states.forget()
        return jsonify(count=count, select=found.id, summary=f"Added {counted(count, 'file')} to {into}.")

    @app.post("/place")
    def place() -> Response:
        return answered(workspace, _added(workspace, _change_for(workspace, posted())))

    @app.post("/example")
    def example() -> Response:
        name, known = posted().get("name"), examples.examples(workspace.opened().catalogue)
        chosen = next((one for one in known if one.name == name), None)
        if chosen is None:
            raise JobError(
                [f"There is no example {name!r:.200}.{did_you_mean(str(name), [one.name for one in known])}"]
            )
        examples.start(chosen, workspace.folder)
        workspace.states.forget()
        return jsonify(digest=workspace.opened().digest, select="", summary=f"Started from the example {name}.")


def _added(workspace: Workspace, change: AddFolder | AddDataset) -> Applied:
    return FlowEditor(workspace.folder, plugins=workspace.plugin_paths).apply(change)


def _change_for(workspace: Workspace, facts: dict[str, Any]) -> AddFolder | AddDataset:
    """The declaration of a folder or file that lies on this machine, or of one in a bucket."""
    text = str(facts.get("path", "")).strip()
    if not text:
        raise JobError(["Write the path of a folder or of a .csv, .parquet or .xlsx file."])
    name = _free(workspace, name_of(text))
    is_table = text.lower().endswith(ENDINGS)
    if is_remote(text):
        return AddDataset(name, {"url": text}) if is_table else AddFolder(name, {"url": text})
    check_place(text)
    path = Path(os.path.realpath(workspace.folder / os.path.expanduser(text)))
    if not os.path.exists(path):
        raise JobError([f"{path} does not exist.{did_you_mean(path.name, _names_in(path.parent))}"])
    if not path.is_dir() and not (path.is_file() and is_table):
        kind = "a file" if path.is_file() else "no regular file"
        raise JobError([f"{path} is {kind}. A folder, or a {', '.join(ENDINGS)} file is expected."])
    near = path.is_relative_to(workspace.folder)
    options = {"path": os.path.relpath(path, workspace.folder) if near else str(path)}
    return AddFolder(name, options) if path.is_dir() else AddDataset(name, options)


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _free(workspace: Workspace, name: str) -> str:
    """The name, or with a number where the project has one like it."""
    taken = {node.name for node in workspace.opened().graph.nodes if not node.is_step}
    chosen, number = name, 2
    while chosen in taken:
        chosen, number = f"{name}_{number}", number + 1
    return chosen
