"""Listens on this machine alone, a thread for each connection; nobody holds one longer than a deadline allows."""

from __future__ import annotations

import io
import logging
import socket
import time
from collections.abc import Iterable
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

ADDRESS = "127.0.0.1"
DEADLINE = 30.0
"""Seconds that a request has to arrive whole, and that an answer may stand still."""

log = logging.getLogger(__name__)


def _nothing(_environ: Any, start_response: Any) -> Iterable[bytes]:
    """Answer as long as the web app is not ready."""
    start_response("503 Service Unavailable", [])
    return [b""]


class Listener(ThreadedWSGIServer):
    """A server on 127.0.0.1; port 0 takes any that is free."""

    def __init__(self, port: int) -> None:
        super().__init__(ADDRESS, port, _nothing, handler=Connection)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{ADDRESS}:{self.port}/"


class Connection(WSGIRequestHandler):
    """One connection: its requests have to arrive in time, and refusals alone are logged."""

    server_version, sys_version = "minihost", ""
    error_content_type, error_message_format = "text/plain; charset=utf-8", "%(message)s\n"

    def setup(self) -> None:
        """Read through a clock."""
        super().setup()
        self.clock = Timed(self.connection)
        self.rfile.close()
        self.rfile = io.BufferedReader(self.clock)

    def handle_one_request(self) -> None:
        """Wind the clock up for each request; a connection that missed its time is closed."""
        self.clock.wind()
        super().handle_one_request()

    def run_wsgi(self) -> None:
        """Answer; a browser that went away meanwhile is not an error."""
        try:
            super().run_wsgi()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log requests that were refused or failed, without their query: it may hold the token."""
        if int(getattr(code, "value", code) if code != "-" else 0) >= 400:
            path = self.path.partition("?")[0] if hasattr(self, "path") else "?"
            log.warning("%s %s: %s", self.command, ascii(path)[1:-1], int(code))

    def log_error(self, format: str, *args: Any) -> None:
        """Connections that are idle or break off are usual."""


class Timed(io.RawIOBase):
    """The bytes of a connection, as long as their time lasts."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.wind()

    def wind(self) -> None:
        """Let the time begin anew."""
        self.until = time.monotonic() + DEADLINE

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; raises TimeoutError when the time is over."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request did not arrive in time")
        self.connection.settimeout(left)
        try:
            return self.connection.recv_into(buffer)
        finally:
            self.connection.settimeout(DEADLINE)
