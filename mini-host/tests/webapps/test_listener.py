"""Connections that take too long, go away or say odd things."""

import logging
import socket
import threading

import pytest

from minihost.webapps import listener

pytestmark = pytest.mark.network


@pytest.fixture
def served(monkeypatch):
    """An application that answers with the length of the body it got; connections last half a second."""
    monkeypatch.setattr(listener, "DEADLINE", 0.5)

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/refused":
            start_response("403 Forbidden", [])
            return [b""]
        length = len(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(length).encode()]

    server = listener.Listener(0)
    server.app = application
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def talk(server, *parts):
    """Send parts, and return all that comes back until the connection is closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        while data := connection.recv(4096):
            answer += data
        return answer


def test_it_listens_on_this_machine_alone(served):
    assert served.socket.getsockname()[0] == "127.0.0.1"
    assert served.url == f"http://127.0.0.1:{served.port}/"


def test_a_request_that_arrives(served):
    answer = talk(served, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", b"abc")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"\r\nServer: minihost\r\n" in answer.replace(b"minihost \r\n", b"minihost\r\n")
    assert b"\r\n3" in answer


@pytest.mark.parametrize(
    "part", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 500]
)
def test_a_request_that_never_ends_is_dropped(served, part):
    assert b"200 OK" not in talk(served, part)


def test_a_body_that_never_ends_is_dropped(served):
    answer = talk(served, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n", b"a")
    assert b"200 OK" not in answer


def test_refusals_are_logged_without_their_query(served, caplog):
    caplog.set_level(logging.INFO)
    talk(served, b"GET /refused?token=secret HTTP/1.1\r\nHost: x\r\n\r\n")
    talk(served, b"GET /well?token=secret HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [record.getMessage() for record in caplog.records if record.name == listener.__name__] == [
        "GET /refused: 403"
    ]


def test_a_browser_that_goes_away_is_nothing_to_tell_of(served, capfd):
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
    assert b"200" in talk(served, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert "Traceback" not in capfd.readouterr().err
