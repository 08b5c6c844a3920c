"""Who gets through to a web app, and with what."""

import errno
import io
from wsgiref.util import setup_testing_defaults

import pytest

from minihost.webapps import guard

PORT, TOKEN = 5000, "the-token"
OWN = f"127.0.0.1:{PORT}"


def ask(method="GET", path="/", query=f"token={TOKEN}", host=OWN, body=b"", **headers):
    """Return the status of a request and what the application behind the guard saw of it (None when nothing)."""
    seen, answered = {}, {}

    def application(environ, start_response):
        seen.update(environ, body=environ["wsgi.input"].read())
        start_response("200 OK", [("X-Frame-Options", "DENY")])
        return [b"well"]

    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": host}
    environ |= {"wsgi.input": io.BytesIO(body), **headers}
    if body and "HTTP_TRANSFER_ENCODING" not in headers:
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
    setup_testing_defaults(environ)

    def start_response(status, headers):
        answered.update(status=int(status.split()[0]), headers=headers)

    answered["text"] = b"".join(guard.Guard(application, PORT, TOKEN)(environ, start_response)).decode()
    return answered["status"], seen or None, answered


@pytest.mark.parametrize("host", [OWN, f"localhost:{PORT}", f"LocalHost:{PORT}"])
def test_this_machine_is_asked_by_its_names(host):
    assert ask(host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", "", f"127.0.0.1:{PORT}.evil.example"]
)
def test_other_host_names_are_refused(host):
    assert ask(host=host)[:2] == (403, None)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ODD"])
@pytest.mark.parametrize("path", ["/", "/backend/x", "/own/app.js", "/nothing"])
def test_every_route_and_verb_wants_the_token(method, path):
    assert ask(method, path, query="")[:2] == (403, None)
    assert ask(method, path, query="token=other")[:2] == (403, None)
    assert ask(method, path, query="token=")[:2] == (403, None)
    assert ask(method, path)[0] == 200


def test_the_token_comes_by_link_cookie_or_header_and_goes_no_further():
    status, seen, answered = ask(query=f"a=1&token={TOKEN}&b=%20")
    assert (status, seen["QUERY_STRING"]) == (200, "a=1&b=+")
    (cookie,) = [value for name, value in answered["headers"] if name == "Set-Cookie"]
    assert cookie == f"minihost-{PORT}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    assert ask(query="", HTTP_COOKIE=f"x=1; minihost-{PORT}={TOKEN}")[0] == 200
    assert ask(query="", HTTP_COOKIE=f"minihost-1={TOKEN}")[0] == 403
    assert ask(query="", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")[0] == 200
    assert ask(query="", HTTP_AUTHORIZATION=f"Basic {TOKEN}")[0] == 403
    assert "Set-Cookie" not in dict(ask(query="", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")[2]["headers"])


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_ORIGIN": "http://evil.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "http://127.0.0.1:1"},
        {"HTTP_ORIGIN": f"https://127.0.0.1:{PORT}"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
    ],
)
def test_pages_of_other_sites_are_refused_even_with_the_token(headers):
    assert ask("POST", **headers)[:2] == (403, None)
    assert ask("GET", **headers)[:2] == (403, None)


def test_a_link_of_another_page_is_followed_with_the_token_alone():
    link = {"HTTP_SEC_FETCH_SITE": "same-site", "HTTP_SEC_FETCH_MODE": "navigate", "HTTP_SEC_FETCH_DEST": "document"}
    assert ask("GET", **link)[0] == 200
    for wrong in ("", "token=wrong"):
        assert ask("GET", query=wrong, **link)[:2] == (403, None)
    for other in ({"HTTP_SEC_FETCH_DEST": "iframe"}, {"HTTP_SEC_FETCH_MODE": "no-cors"}, {"HTTP_ORIGIN": "null"}):
        assert ask("GET", **{**link, **other})[:2] == (403, None)
    assert ask("POST", **link)[:2] == (403, None)


def test_its_own_pages_are_answered():
    assert ask("POST", HTTP_ORIGIN=f"http://{OWN}", HTTP_SEC_FETCH_SITE="same-origin")[0] == 200


def test_bodies_arrive_whole():
    assert ask("POST", body=b"abc")[1]["body"] == b"abc"
    status, seen, _answered = ask("POST", body=b"abc", HTTP_TRANSFER_ENCODING="chunked")
    assert (status, seen["body"], seen["CONTENT_LENGTH"]) == (200, b"abc", "3")
    assert "HTTP_TRANSFER_ENCODING" not in seen


def test_long_bodies_are_refused_by_what_they_say_and_by_what_they_are(monkeypatch):
    monkeypatch.setattr(guard, "MAX_BODY", 10)
    assert ask("POST", body=b"x" * 10)[0] == 200
    assert ask("POST", body=b"x" * 11)[:2] == (413, None)
    assert ask("POST", body=b"x", CONTENT_LENGTH="9" * 5000)[:2] == (413, None)
    assert ask("POST", body=b"x" * 11, HTTP_TRANSFER_ENCODING="chunked")[:2] == (413, None)


@pytest.mark.parametrize(
    "headers",
    [
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "1,1"},
        {"CONTENT_LENGTH": "\u0661"},
        {"CONTENT_LENGTH": "5"},
        {"CONTENT_LENGTH": "1", "HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_TRANSFER_ENCODING": "gzip"},
    ],
)
def test_odd_lengths_are_refused(headers):
    assert ask("POST", body=b"x", **headers)[:2] == (400, None)


def test_a_full_temporary_folder_is_not_blamed_on_the_client(monkeypatch):
    class Full(io.BytesIO):
        def write(self, _data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(guard.tempfile, "SpooledTemporaryFile", lambda _size: Full())
    status, seen, answered = ask("POST", body=b"x")
    assert (status, seen) == (507, None)
    assert "No space is left on the disk" in answered["text"]


def test_a_body_that_does_not_arrive_in_time():
    class Slow(io.RawIOBase):
        def read(self, _size=-1):
            raise TimeoutError

    environ = {"wsgi.input": Slow(), "CONTENT_LENGTH": "3"}
    assert ask("POST", **environ)[:2] == (408, None)


def test_too_many_parts_in_an_address():
    assert ask(query="&".join(["a=1"] * 2000))[:2] == (400, None)


def test_answers_keep_their_own_protection_and_get_what_they_lack():
    headers = dict(ask()[2]["headers"])
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
