"""Lets requests through to a local web app only from the person who started it: checked before any of its code runs.

Refused are other host names (a page elsewhere may point its own name here), requests without the token, requests that
another site's page makes, and bodies that are too long, endless or odd. Every route and every verb is held to it.

The one exception is `frames`: an application of its own that reads files for frames without an origin, which can have
no token. What it answers depends on a secret in the address; no other code is reached that way.
"""

from __future__ import annotations

import hmac
import tempfile
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlencode

from minihost import disk_space

MAX_BODY = 20_000_000
IN_MEMORY = 1 << 20
NAMES = ("127.0.0.1", "localhost")
"""The names by which this machine is asked; any other name is refused."""

PARAMETER = "token"

FRAMES = "/frame/"
"""What the addresses of files for frames begin with."""

Environment = dict[str, Any]
Application = Callable[[Environment, Any], Iterable[bytes]]


class Refused(Exception):
    """A request that goes no further: the status, and a sentence for whoever sent it."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Guard:
    """A WSGI application around another. `port` is the one that it listens on, `token` what a person's link holds.

    `frames`, where there is one, answers GET and HEAD below `FRAMES` in place of `inner`.
    """

    def __init__(self, inner: Application, port: int, token: str, frames: Application | None = None) -> None:
        self.inner, self.port, self.token, self.frames = inner, port, token, frames
        self.cookie = f"minihost-{port}"
        self.hosts = {f"{name}:{port}" for name in NAMES}

    def __call__(self, environ: Environment, start_response: Any) -> Iterable[bytes]:
        """Answer one request, or hand it on; the token goes no further."""
        try:
            self._check_host(environ)
            if self.frames is not None and environ.get("PATH_INFO", "").startswith(FRAMES):
                return self._framed(environ, start_response)
            query = _query(environ)
            by_link = self._is_token(dict(query).get(PARAMETER, ""))
            if not (by_link and _is_link(environ)):
                self._check_origin(environ)
            if not by_link and not self._is_token(self._by_header(environ)) and not self._by_cookie(environ):
                raise Refused(HTTPStatus.FORBIDDEN, "Open the link that was printed at the start: it holds the token.")
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = _body(environ)
        except Refused as refused:
            headers = [("Content-Type", "text/plain; charset=utf-8"), NOTHING, *PROTECTION]
            start_response(f"{refused.status.value} {refused.status.phrase}", headers)
            return [f"{refused}\n".encode()]
        for name in ("HTTP_TRANSFER_ENCODING", *(() if not by_link else ("REQUEST_URI", "RAW_URI"))):
            environ.pop(name, None)
        if by_link:
            environ["QUERY_STRING"] = urlencode([(name, value) for name, value in query if name != PARAMETER])
        cookie = f"{self.cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict"
        return self.inner(environ, _protected(start_response, [("Set-Cookie", cookie)] if by_link else []))

    def _framed(self, environ: Environment, start_response: Any) -> Iterable[bytes]:
        """Hand a request for a file of a frame on, without what could show who asks; its body is not read."""
        assert self.frames is not None
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "Files of a frame are only read.")
        for name in ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "QUERY_STRING", "REQUEST_URI", "RAW_URI"):
            environ.pop(name, None)
        return self.frames(environ, _protected(start_response, []))

    def _check_host(self, environ: Environment) -> None:
        if environ.get("HTTP_HOST", "").lower() not in self.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, "This address is not the one that was printed at the start.")

    def _check_origin(self, environ: Environment) -> None:
        """Another site's page may not ask for anything here, not even with the token: it may only link to it."""
        origin = environ.get("HTTP_ORIGIN")
        foreign = environ.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site")
        if foreign or (origin is not None and origin.lower() not in {f"http://{host}" for host in self.hosts}):
            raise Refused(HTTPStatus.FORBIDDEN, "Requests from other sites are not answered.")

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())

    def _by_header(self, environ: Environment) -> str:
        """The token of a program: `Authorization: Bearer TOKEN`."""
        scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        return given.strip() if scheme.lower() == "bearer" else ""

    def _by_cookie(self, environ: Environment) -> bool:
        try:
            cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(self.cookie)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)


PROTECTION = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
]
"""Headers of every answer that does not set them itself."""

NOTHING = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
"""The header of a refusal: whatever it holds does nothing."""


def _is_link(environ: Environment) -> bool:
    """Whether a person followed a link to a page, as the page of a project has one to each web app that runs."""
    wanted = {"REQUEST_METHOD": "GET", "HTTP_SEC_FETCH_MODE": "navigate", "HTTP_SEC_FETCH_DEST": "document"}
    return "HTTP_ORIGIN" not in environ and all(environ.get(name) == value for name, value in wanted.items())


def _protected(start_response: Any, cookies: list[tuple[str, str]]) -> Any:
    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        given = {name.lower() for name, _ in headers}
        return start_response(
            status, [*headers, *cookies, *(pair for pair in PROTECTION if pair[0].lower() not in given)], *more
        )

    return start


def _query(environ: Environment) -> list[tuple[str, str]]:
    try:
        return parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=1000)
    except ValueError as err:
        raise Refused(HTTPStatus.BAD_REQUEST, "The address has too many parts.") from err


def _body(environ: Environment) -> tuple[BinaryIO, str]:
    """Return the whole body with its length, counted while it is read."""
    length = environ.get("CONTENT_LENGTH") or ""
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    if chunked and (length or environ["HTTP_TRANSFER_ENCODING"].strip().lower() != "chunked"):
        raise Refused(HTTPStatus.BAD_REQUEST, "The length of the body is given twice, or in an unknown form.")
    if length and not (length.isascii() and length.isdigit()):
        raise Refused(HTTPStatus.BAD_REQUEST, "Content-Length is not a number.")
    wanted = MAX_BODY + 1 if chunked else int(length[:20] or 0)
    too_long = Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is longer than {MAX_BODY:,} bytes.")
    if not chunked and wanted > MAX_BODY:
        raise too_long
    kept, source, read = tempfile.SpooledTemporaryFile(IN_MEMORY), environ["wsgi.input"], 0  # noqa: SIM115
    try:
        while read < wanted and (part := source.read(min(1 << 16, wanted - read))):
            kept.write(part)
            read += len(part)
    except OSError as err:
        if full := disk_space.message(err, disk_space.temporary()):
            raise Refused(HTTPStatus.INSUFFICIENT_STORAGE, full) from err
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.") from err
    if read > MAX_BODY:
        raise too_long
    if not chunked and read < wanted:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is shorter than its Content-Length.")
    kept.seek(0)
    return kept, str(read)  # type: ignore[return-value]
