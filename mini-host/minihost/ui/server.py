"""Serves a project on this machine, to whoever has the link, until it is interrupted."""

from __future__ import annotations

from collections.abc import Callable

from minihost.errors import HostError
from minihost.ui.app import make_app
from minihost.ui.workspace import Workspace
from minihost.webapps.guard import Guard
from minihost.webapps.listener import Listener


def serve(workspace: Workspace, port: int, token: str, ready: Callable[[str], None]) -> None:
    """Serve the project; `ready` gets the link, which holds the token. Raises `HostError` for a taken port."""
    listener = listening(workspace, port, token)
    ready(f"{listener.url}?token={token}")
    try:
        listener.serve_forever()
    finally:
        listener.server_close()


def listening(workspace: Workspace, port: int, token: str) -> Listener:
    """Return what answers requests once `serve_forever` is called; raises `HostError` for a taken port."""
    try:
        listener = Listener(port)
    except (OSError, SystemExit) as err:
        raise HostError(f"Port {port} of 127.0.0.1 is taken or not allowed: choose another with --port.") from err
    app = make_app(workspace)
    listener.app = Guard(app, listener.port, token, app.extensions["frames"])
    return listener
