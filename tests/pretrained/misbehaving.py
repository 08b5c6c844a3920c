"""A server on this machine that serves one file in the many ways that go wrong."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 1200


@dataclass
class Behaviour:
    """What the server does with each request in turn; the last way is repeated. `asked` keeps each request's headers."""

    ways: list[str]
    content: bytes = CONTENT
    etag: str = '"one"'
    asked: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    pause: float = 0.0

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@contextmanager
def serving(*ways: str, **options: object) -> Iterator[tuple[str, Behaviour]]:
    """Yield the address of a file on a server that behaves in these ways, and a record of what it was asked."""
    behaviour = Behaviour(list(ways), **options)  # type: ignore[arg-type]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            behaviour.asked.append(dict(self.headers))
            way = behaviour.ways.pop(0) if len(behaviour.ways) > 1 else behaviour.ways[0]
            with suppress(BrokenPipeError, ConnectionResetError):
                getattr(self, way)()

        def head(self, status: int, length: int | None, **headers: str) -> None:
            self.send_response(status)
            if length is not None:
                self.send_header("Content-Length", str(length))
            else:
                self.send_header("Connection", "close")
                self.close_connection = True
            if behaviour.etag:
                self.send_header("ETag", behaviour.etag)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()

        def put(self, part: bytes) -> None:
            for place in range(0, len(part), 65536):
                piece = part[place : place + 65536]
                self.wfile.write(piece)
                behaviour.sent += len(piece)
                time.sleep(behaviour.pause)

        def good(self) -> None:
            content, asked = behaviour.content, self.headers.get("Range", "")
            same = self.headers.get("If-Range", behaviour.etag) == behaviour.etag
            if asked and same:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= len(content):
                    return self.head(416, 0)
                told = f"bytes {start}-{len(content) - 1}/{len(content)}"
                self.head(206, len(content) - start, Content_Range=told)
                return self.put(content[start:])
            self.head(200, len(content))
            return self.put(content)

        def cut(self) -> None:
            self.head(200, len(behaviour.content))
            self.put(behaviour.content[: len(behaviour.content) // 3])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True

        def cut_without_length(self) -> None:
            self.head(200, None)
            self.put(behaviour.content[: len(behaviour.content) // 3])

        def without_length(self) -> None:
            self.head(200, None)
            self.put(behaviour.content)

        def ignores_range(self) -> None:
            self.head(200, len(behaviour.content))
            self.put(behaviour.content)

        def other_part(self) -> None:
            told = f"bytes 5-{len(behaviour.content) - 1}/{len(behaviour.content)}"
            self.head(206, len(behaviour.content) - 5, Content_Range=told)
            self.put(behaviour.content[5:])

        def out_of_range(self) -> None:
            self.head(416, 0)

        def html(self) -> None:
            page = b"<html>Please log in</html>"
            self.head(200, len(page), Content_Type="text/html")
            self.put(page)

        def flipped(self) -> None:
            self.head(200, len(behaviour.content))
            self.put(behaviour.content[:-1] + b"!")

        def compressed(self) -> None:
            self.head(200, 20, Content_Encoding="gzip")
            self.put(b"x" * 20)

        def endless(self) -> None:
            self.head(200, None)
            for _ in range(4000):
                self.put(b"x" * 4096)

        def more_than_told(self) -> None:
            self.head(200, 10**9)
            for _ in range(40):
                self.put(b"x" * 100_000)

        def slow(self) -> None:
            self.head(200, len(behaviour.content))
            for place in range(200):
                self.put(behaviour.content[place : place + 1])
                self.wfile.flush()
                time.sleep(0.02)

        def silent(self) -> None:
            time.sleep(1.5)

        def missing(self) -> None:
            self.head(404, 0)

        def forbidden(self) -> None:
            self.head(403, 0)

        def busy(self) -> None:
            self.head(503, 0, Retry_After="1")

        def to_file(self) -> None:
            self.head(302, 0, Location="file:///etc/passwd")

        def in_circles(self) -> None:
            self.head(302, 0, Location=self.path)

        def names_a_file(self) -> None:
            self.head(200, len(behaviour.content), Content_Disposition='attachment; filename="../../evil.h5"')
            self.put(behaviour.content)

        def onwards(self) -> None:
            self.head(302, 0, Location="/elsewhere")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/models/file.h5", behaviour
    finally:
        server.shutdown()
        server.server_close()
