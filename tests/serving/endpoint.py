"""A vision-serve of its own process, and requests to it byte by byte."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMITS = "connections=40, head_seconds=0.4, body_seconds=0.5, unread_bytes=1 << 22"
CODE = f"""
import sys
from vision_recipes.serve import main
from vision_recipes.serving.http.connection import ConnectionLimits, LimitedConnection
LimitedConnection.limits = ConnectionLimits({LIMITS})
sys.exit(main(sys.argv[1:]))
"""
"""The command, with clients that have less time than usual."""


@dataclass
class Answer:
    """Every answer that a connection got, and whether the server closed it."""

    statuses: list[int]
    last: bytes
    closed: bool


class Endpoint:
    """Started with the options of the command; `port` is any free one."""

    def __init__(self, *options: str | Path, environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-c", CODE, *map(str, options), "--port", "0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | (environment or {})
        )
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline()
        if not self.ready:
            raise AssertionError(self.process.communicate()[1])
        self.port = int(self.ready.split()[0].rpartition(":")[2])

    def ask(self, method: str, path: str, body: bytes | str = b"", **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Return the status, the JSON or the bytes, and the headers of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            content, given = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()
        return answer.status, json.loads(content) if "json" in given.get("content-type", "") else content, given

    def post(self, path: str, data: Any, **headers: str) -> tuple[int, Any]:
        """Return the status and the JSON of an answer to JSON."""
        status, found, _headers = self.ask("POST", path, json.dumps(data), content_type="application/json", **headers)
        return status, found

    def raw(self, *pieces: bytes, pause: float = 0.0, seconds: float = 4.0, half_close: bool = False) -> Answer:
        """Send bytes, pausing between them, and return all that comes back until it is closed or quiet."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as client:
            try:
                for piece in pieces:
                    client.sendall(piece)
                    time.sleep(pause)
                if half_close:
                    client.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass
            content, closed = b"", False
            latest = time.monotonic() + seconds
            while time.monotonic() < latest:
                client.settimeout(0.02 if _is_whole(content) else 0.3)
                try:
                    part = client.recv(1 << 16)
                except TimeoutError:
                    if content:
                        break
                    continue
                except ConnectionResetError:
                    closed = True
                    break
                if not part:
                    closed = True
                    break
                content += part
        statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", content)]
        return Answer(statuses, content.rpartition(b"\r\n\r\n")[2], closed)

    def waiting(self) -> int:
        """Return how many pictures are accepted and not answered."""
        text = self.ask("GET", "/metrics")[1].decode()
        return int(float(re.search(r"^vision_serve_queue (\S+)", text, re.MULTILINE)[1]))

    def memory(self) -> int:
        """Return the resident memory of the process in bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Return the exit code and what it wrote on its error stream."""
        self.process.send_signal(number)
        errors = self.process.communicate(timeout=30)[1]
        return self.process.returncode, errors


def _is_whole(content: bytes) -> bool:
    """Whether bytes are at least one answer, with its body."""
    head, blank, body = content.partition(b"\r\n\r\n")
    length = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(blank and length) and len(body) >= int(length[0])
