"""Bodies of requests: read whole, counted while they arrive, together never more than the server can hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from vision_recipes.serving.http.answers import Refused, busy

HELD_BODIES = 8
"""The bodies of all requests together may be as large as this many of the largest."""

Answer = Callable[[Request, bytes], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Bodies:
    """What all requests hold in memory at a time, in bytes."""

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.held = 0

    async def read(self, request: Request) -> bytes:
        """Return a request's body; raises Refused when it is too large, is encoded, or finds no room.

        Call `release` with its size afterwards.
        """
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(415, "bodies are read as they are: send it without a Content-Encoding")
        if int(request.headers.get("content-length", 0)) > self.largest:
            raise self._too_large()
        chunks: list[bytes] = []
        size = 0
        try:
            async for chunk in request.stream():
                size += len(chunk)
                self.held += len(chunk)
                if size > self.largest:
                    raise self._too_large()
                if self.held > self.largest * HELD_BODIES:
                    raise busy(1.0)
                chunks.append(chunk)
        except (Refused, ClientDisconnect):
            self.release(size)
            raise
        return b"".join(chunks)

    def release(self, size: int) -> None:
        """Give back the room of a body."""
        self.held -= size

    def _too_large(self) -> Refused:
        return Refused(413, f"the body is larger than {self.largest} bytes; vision-serve --max-body allows larger ones")


def with_body(answer: Answer) -> Endpoint:
    """Return the endpoint that reads the body first and gives its room back after the answer."""

    async def endpoint(request: Request) -> Response:
        bodies: Bodies = request.app.state.bodies
        body = await bodies.read(request)
        try:
            return await answer(request, body)
        finally:
            bodies.release(len(body))

    return endpoint
