"""The Flask application: every page of the project, with the headers and error answers that they share."""

from __future__ import annotations

import importlib
import importlib.resources
import logging

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from minihost.errors import HostError
from minihost.ui.workspace import Workspace

SUBJECTS = ("flow_page", "panel", "step_form", "edits", "start", "objects", "jobs", "runs", "webapps")
"""The modules of this package that have pages: each has `register(app, workspace)`."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The content security policy of every page: nothing from elsewhere, no script or style inside the page."""

log = logging.getLogger(__name__)


class Page(Response):
    """An answer whose text may hold what is no character, such as the bytes of a file's name: shown as `?`."""

    def set_data(self, value: bytes | str) -> None:
        """Take the content."""
        super().set_data(value.encode("utf-8", "replace") if isinstance(value, str) else value)


def make_app(workspace: Workspace) -> Flask:
    """Return the application that shows and edits a project; `Guard` has to stand before it."""
    app = Flask("minihost.ui", root_path=str(importlib.resources.files("minihost.ui")), static_url_path="/static")
    app.response_class = Page
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["project_name"] = workspace.folder.name
    app.jinja_env.globals["digest"] = lambda: _digest(workspace)
    for name in SUBJECTS:
        importlib.import_module(f"minihost.ui.{name}").register(app, workspace)
    app.after_request(_protected)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(HostError, _failed)
    app.register_error_handler(Exception, _broken)
    return app


def _digest(workspace: Workspace) -> str:
    """The digest that pages hold; the empty text where the project cannot be read: error pages are drawn then too."""
    try:
        return workspace.opened().digest
    except (HostError, OSError):
        return ""


def _protected(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    if request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-cache"
    return response


def _refused(err: HTTPException) -> tuple[Response, int]:
    return _answer([err.description or err.name], err.code or 500)


def _failed(err: HostError) -> tuple[Response, int]:
    return _answer(str(err).splitlines(), 422)


def _broken(err: Exception) -> tuple[Response, int]:
    log.exception("%s %s failed", request.method, request.path)
    return _answer([f"This is a mistake of the host, not yours: {type(err).__name__}. The terminal shows more."], 500)


def _answer(mistakes: list[str], status: int) -> tuple[Response, int]:
    """The sentences as JSON for scripts, as a page for people."""
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(mistakes=mistakes), status
    return Page(render_template("refused.html", mistakes=mistakes, status=status)), status
