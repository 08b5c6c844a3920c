"""Clients that post pictures over keep-alive connections, all in one thread, so that they cost the server little.

python -m benchmarks.http_load PORT CLIENTS COUNT SECONDS FOLDER: posts COUNT pictures of the folder in turn, or for
SECONDS when COUNT is 0, and prints a line of JSON: pictures per second, milliseconds, statuses, the first answer of
each file.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

LONGEST_WAIT = 60.0


class Client:
    """One connection, which posts a picture as soon as the one before is answered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.connect()
        self.name, self.started = "", 0.0
        self._to_send: memoryview = memoryview(b"")
        self._answer = bytearray()

    def connect(self) -> None:
        """Open the connection, anew after the server closed it."""
        self.socket = socket.create_connection(("127.0.0.1", self._port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def post(self, name: str, content: bytes) -> None:
        """Begin to send a picture."""
        head = (
            f"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        self.name, self.started = name, time.perf_counter()
        self._to_send, self._answer = memoryview(head.encode() + content), bytearray()
        self.send()

    def send(self) -> bool:
        """Send what the socket takes; return whether there is more."""
        try:
            while self._to_send:
                self._to_send = self._to_send[self.socket.send(self._to_send) :]
        except BlockingIOError:
            pass
        return bool(self._to_send)

    def receive(self) -> tuple[int, bytes, bool] | None:
        """Take what came; return the status, the body and whether the server closes, once the answer is whole."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise ConnectionError("the server closed the connection before it answered")
        self._answer += part
        end = self._answer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._answer[:end].decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].split()[0])
        if len(self._answer) < end + 4 + length:
            return None
        return int(head.split()[1]), bytes(self._answer[end + 4 :]), "connection: close" in head


def load(port: int, clients: int, posts: int, seconds: float, files: dict[str, bytes]) -> dict[str, Any]:
    """Post pictures and return what is printed; failed requests are statuses 0."""
    names, turn, statuses = list(files), count(), Counter[int]()
    answers: dict[str, Any] = {}
    milliseconds: list[float] = []
    waiting = selectors.DefaultSelector()
    started = time.perf_counter()

    def next_post(client: Client) -> None:
        number = next(turn)
        if number < posts or (not posts and time.perf_counter() - started < seconds):
            name = names[number % len(names)]
            client.post(name, files[name])
            waiting.register(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        else:
            client.socket.close()

    for _ in range(clients):
        next_post(Client(port))
    while waiting.get_map():
        ready = waiting.select(LONGEST_WAIT)
        if not ready:
            raise TimeoutError(f"no answer within {LONGEST_WAIT:g} s")
        for key, events in ready:
            client: Client = key.data
            if events & selectors.EVENT_WRITE and not client.send():
                waiting.modify(client.socket, selectors.EVENT_READ, client)
            if not events & selectors.EVENT_READ:
                continue
            try:
                found = client.receive()
            except OSError:
                found = (0, b"{}", True)
            if found is None:
                continue
            status, body, closed = found
            milliseconds.append(1000 * (time.perf_counter() - client.started))
            statuses[status] += 1
            if client.name not in answers:
                answers[client.name] = [status, json.loads(body)]
            waiting.unregister(client.socket)
            if closed:
                client.socket.close()
                client.connect()
            next_post(client)
    rate = len(milliseconds) / (time.perf_counter() - started)
    return {"rate": rate, "milliseconds": milliseconds, "statuses": statuses, "answers": answers}


def main(port: str, clients: str, posts: str, seconds: str, folder: str) -> None:
    """Read the files, post them and print what came."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(Path(folder).rglob("*.*"))}
    print(json.dumps(load(int(port), int(clients), int(posts), float(seconds), files)))


if __name__ == "__main__":
    main(*sys.argv[1:])
