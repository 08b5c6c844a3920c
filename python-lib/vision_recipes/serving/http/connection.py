"""One connection of a client: HTTP/1 with limits on what uvicorn leaves open - heads, time, connections."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_PIPELINED = 32
"""Requests that a connection may send ahead of the answers."""
LINGER_SECONDS = 3.0
"""How long a refused client may go on sending before its connection is cut, so that it can read the answer."""
WRITE_SECONDS = 30.0
"""How long a client may take to read an answer."""


@dataclass(frozen=True)
class ConnectionLimits:
    """`head_bytes` counts the request line and the headers; `unread_bytes`, what is thrown away after an early answer.

    `head_seconds` runs from the first byte, or from the opening of the connection; `body_seconds` from the end of the
    head.
    """

    connections: int = 512
    head_bytes: int = 32 << 10
    headers: int = 100
    head_seconds: float = 10.0
    body_seconds: float = 60.0
    unread_bytes: int = 64 << 20


class LimitedConnection(HttpToolsProtocol):
    """A connection that answers each bad request once, at once, and is then closed."""

    limits = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_bytes = self._headers = self._unread = 0
        self._head_status, self._head_mistake = 400, ""
        self._refused = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first head, or turn the client away."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(503, "too many connections are open: try again in a second", b"retry-after: 1\r\n")
        else:
            self._allow(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; count the bytes of a head that has no end yet, and what comes after an early answer."""
        if self._refused:
            self._throw_away(len(data))
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._deadline is None:
                self._allow(self.limits.head_seconds)
        super().data_received(data)
        if self._in_head and self._head_bytes > self.limits.head_bytes and not self._refused:
            self._refuse(431, f"the request's line and headers are longer than {self.limits.head_bytes} bytes")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection for the answer to a whole request; a client may close its own side after it."""
        if self._refused:
            return False
        if self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body:
            self.cycle.keep_alive = False
            return True
        if self._head_bytes or not self._in_head:
            self._refuse(400, "the connection ended within a request")
        return False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the headers, trailers of a body among them."""
        self._headers += 1
        if self._headers > self.limits.headers:
            self._stop_parsing(431, f"the request has more than {self.limits.headers} headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the request start, with the clock of its body."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.limits.head_bytes:
            self._stop_parsing(431, f"the request's line and headers are longer than {self.limits.head_bytes} bytes")
        if not self.url.startswith(b"/"):
            self._stop_parsing(400, "the request line must hold a path that begins with a slash")
        if len(self.pipeline) >= MOST_PIPELINED:
            self._stop_parsing(400, f"more than {MOST_PIPELINED} requests were sent ahead of their answers")
        self._stop_clock()
        super().on_headers_complete()
        self._in_head = False
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False
        self._allow(self.limits.body_seconds)

    def on_body(self, body: bytes) -> None:
        """Keep the body for the application; once that has answered, throw it away."""
        if self.cycle.response_complete:
            self._throw_away(len(body))
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for the next head, however long the idle time of a connection allows."""
        super().on_message_complete()
        self.cycle.more_body = False
        self._stop_clock()
        self._in_head, self._head_bytes, self._headers, self._unread = True, 0, 0, 0

    def on_response_complete(self) -> None:
        """Cut the connection of a client that does not read its answer."""
        super().on_response_complete()
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; one with an answer that was never read is cut."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser could not read."""
        mistake = self._head_mistake or "this is not a request of HTTP/1.1 that is understood here"
        self._refuse(self._head_status, mistake)

    def _stop_parsing(self, status: int, mistake: str) -> None:
        self._head_status, self._head_mistake = status, mistake
        raise ValueError(mistake)

    def _allow(self, seconds: float) -> None:
        self._stop_clock()
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        if self._in_head and not self._head_bytes:
            self.transport.close()
        elif not self._in_head and self.cycle.response_complete:
            self.transport.abort()
        else:
            part, seconds = "head", self.limits.head_seconds
            if not self._in_head:
                part, seconds = "body", self.limits.body_seconds
            self._refuse(408, f"the {part} of the request took longer than {seconds:g} s to arrive")

    def _throw_away(self, size: int) -> None:
        self._unread += size
        if self._unread > self.limits.unread_bytes:
            self.transport.abort()

    def _refuse(self, status: int, mistake: str, headers: bytes = b"") -> None:
        """Answer, unless the request has its answer; read on for a while, then close.

        Answers to requests before this one come first: they are whole, so they are waited for instead.
        """
        self._refused = True
        self._stop_clock()
        cycle = self.cycle
        unfinished = cycle is not None and not cycle.response_complete
        if unfinished and not cycle.more_body:
            cycle.keep_alive = False
            return
        if unfinished:
            cycle.disconnected = True
            cycle.message_event.set()
        if not self._in_head and cycle is not None and (cycle.response_started or cycle.response_complete):
            self.transport.close()
            return
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.transport.write(_answer(status, mistake, headers))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def _answer(status: int, mistake: str, headers: bytes) -> bytes:
    body = json.dumps({"error": mistake}).encode()
    line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    fixed = b"content-type: application/json\r\nx-content-type-options: nosniff\r\nconnection: close\r\n"
    return line + fixed + headers + f"content-length: {len(body)}\r\n\r\n".encode() + body
