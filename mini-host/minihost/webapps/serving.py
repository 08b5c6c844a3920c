"""Serves one web app until it is stopped: runs in the child process, with `dataiku` made in memory."""

from __future__ import annotations

import json
import logging
import sys
import types
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from minihost.errors import HostError
from minihost.job import Job
from minihost.webapps.guard import Application, Environment, Guard
from minihost.webapps.page import Page

log = logging.getLogger(__name__)


def serve(job: Job, report: Callable[..., None]) -> None:
    """Serve the web app of a job; `report` is called with the address once it is ready. Comes back when interrupted."""
    try:
        from minihost.webapps.listener import Listener
    except ImportError as err:
        raise HostError(f"Web apps need Flask, and it is not installed here ({err}). pip install flask") from err
    folder = Path(job.runner).parent
    page = Page(job, folder)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        listener = Listener(int(job.payload.get("port", 0)))
    except (OSError, SystemExit) as err:
        raise HostError(
            f"Port {job.payload.get('port')} of 127.0.0.1 is taken or not allowed: choose another."
        ) from err
    backend = load_backend(job)
    listener.app = Guard(routed(page, backend), listener.port, str(job.payload["token"]))
    for name in page.missing():
        log.warning(
            "The page needs the library %s, which comes with the extra dss-minihost[webapps] and is not installed", name
        )
    report(serving=listener.url)
    try:
        listener.serve_forever()
    finally:
        listener.server_close()


def load_backend(job: Job) -> Application | None:
    """Run the web app's backend, with a Flask `app` in its globals, and return what it left there."""
    runner = Path(job.runner)
    if not runner.is_file():
        return None
    import flask

    name = "minihost_backend"
    module = types.ModuleType(name)
    module.__file__ = str(runner)
    # Its own name and folder: routes find templates and static files beside backend.py.
    app = flask.Flask(name, root_path=str(runner.parent))
    module.__dict__.update(app=app, __builtins__=__builtins__)
    sys.modules[name] = module
    exec(compile(runner.read_bytes(), str(runner), "exec"), module.__dict__)
    found: Any = module.__dict__.get("app")
    if not callable(found):
        raise HostError(f"{runner} left no WSGI application in `app`, but {type(found).__name__}.")
    if found is app:
        _use_json_encoder(app)
    return found  # type: ignore[no-any-return]


def _use_json_encoder(app: Any) -> None:
    """Have Flask write JSON with the class in `app.json_encoder`, which backends set and Flask 2.3 and later ignore."""
    encoder = vars(app).get("json_encoder")
    if encoder is None:
        return

    class Encoding(type(app.json)):  # type: ignore[misc]
        """The provider of this application, with the encoder of its backend."""

        def dumps(self, obj: Any, **options: Any) -> str:
            """Return JSON text."""
            return json.dumps(obj, **{"cls": encoder, "sort_keys": self.sort_keys, **options})

    app.json = Encoding(app)


def routed(page: Page, backend: Application | None) -> Application:
    """Return the application that hands `/backend/…` to the backend and answers the rest itself."""

    def answer(environ: Environment, start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
        if backend is not None and (path == "/backend" or path.startswith("/backend/")):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + "/backend"
            environ["PATH_INFO"] = environ["PATH_INFO"][len("/backend") :] or "/"
            return backend(environ, start_response)
        found = page.answer(path) if environ["REQUEST_METHOD"] in ("GET", "HEAD") else None
        if found is None:
            text = json.dumps({"error": "There is nothing here."}).encode()
            start_response("404 Not Found", [("Content-Type", "application/json")])
            return [text]
        content, kind = found
        text_kind = kind.startswith("text/") or kind.endswith("javascript")
        start_response(
            "200 OK",
            [
                ("Content-Type", f"{kind}; charset=utf-8" if text_kind else kind),
                ("Content-Length", str(len(content))),
            ],
        )
        return [content if environ["REQUEST_METHOD"] == "GET" else b""]

    return answer
