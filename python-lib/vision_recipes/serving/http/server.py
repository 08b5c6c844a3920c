"""The server: a socket that is bound first, uvicorn over it, an end that loses nothing."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from vision_recipes.errors import SettingsError
from vision_recipes.serving.http.connection import LimitedConnection

SIGNALS = (signal.SIGINT, signal.SIGTERM)
KEEP_ALIVE_SECONDS = 75
"""Longer than the idle time of usual proxies, so that they are the ones who close."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that has its address and does not listen yet; raises SettingsError."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        if sys.platform != "win32":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as err:
        if err.errno == errno.EADDRINUSE:
            advice = (
                f"port {port} is taken by another program: choose another with --port, or any free one with --port 0"
            )
        else:
            advice = f"{err.strerror or err}: choose another --host or --port"
        raise SettingsError(f"Cannot listen at {host}:{port}: {advice}.") from err
    return bound


def address_of(bound: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Ends with 0 on SIGINT and SIGTERM: it takes no more connections and finishes the requests that it has."""

    def __init__(self, config: uvicorn.Config, ending: threading.Event, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending, self._announce = ending, announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End gracefully on a signal, at once on the second one; uvicorn would let the signal end the process."""
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end, or give up waiting."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._ending.set()


def server(app: ASGIApp, grace: float, ending: threading.Event, announce: Callable[[], None]) -> Server:
    """Return the server of an application; `grace` is how many seconds requests may take to finish at the end.

    `announce` is called when it listens, `ending` is set as soon as it ends.
    """
    config = uvicorn.Config(
        app,
        http=LimitedConnection,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(grace)),
    )
    return Server(config, ending, announce)
