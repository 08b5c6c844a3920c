"""HTML reports, shown in a frame that may run their scripts and nothing else: they reach no page of ours, no other
folder and no other host.

Such a frame has no origin, so the browser sends no cookie for what it loads. Its address holds a secret instead, one
for each folder, which opens the files of that folder and no other address. The secret is told to nobody: not to other
hosts, as the page cannot reach any, nor to the address bar.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from minihost.errors import HostError
from minihost.folders.paths import canonical
from minihost.folders.store import FolderStore
from minihost.ui.objects.file_answers import file_answer
from minihost.ui.objects.media import FRAMED, ending

PREFIX = "/frame/"
MOST = 200
"""Folders that are open at once; the one that was opened first is forgotten."""

HEAD = 1024


class Frames:
    """A WSGI application that stands beside the pages: `Guard` hands it what begins with `PREFIX`, without a token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[str, tuple[str, FolderStore]] = OrderedDict()

    def address(self, name: str, store: FolderStore, path: str) -> str:
        """Return the address of a file for a frame; `name` tells the folder from others."""
        with self._lock:
            secret = next((secret for secret, (known, _) in self._open.items() if known == name), "")
            secret = secret or secrets.token_urlsafe(32)
            self._open[secret] = (name, store)
            while len(self._open) > MOST:
                self._open.popitem(last=False)
        return f"{PREFIX}{secret}{quote(os.fsencode(canonical(path)))}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request for a file of an open folder."""
        secret, _, path = environ.get("PATH_INFO", "")[len(PREFIX) :].partition("/")
        with self._lock:
            _name, store = self._open.get(secret, ("", None))
        if store is None or environ.get("HTTP_SEC_FETCH_DEST") == "document":
            return _refused(start_response, "403 Forbidden", "This page is shown in its frame only.")
        path = os.fsdecode(path.encode("latin-1"))
        path = path + "index.html" if not path or path.endswith("/") else path
        kind = FRAMED.get(ending(path))
        if kind is None:
            return _refused(start_response, "404 Not Found", "Files of this kind are not shown in a frame.")
        try:
            answer = file_answer(store, path, _with_charset(store, path, kind), environ)
        except (OSError, HostError):
            return _refused(start_response, "404 Not Found", "There is no such file in the folder of this report.")
        for name, value in _headers(environ, secret):
            answer.headers[name] = value
        return answer(environ, start_response)


def _headers(environ: dict[str, Any], secret: str) -> list[tuple[str, str]]:
    """What keeps a page of the folder in its frame. Its own files are asked for without origin: they are let in."""
    here = f"http://{environ['HTTP_HOST']}{PREFIX}{secret}/"
    policy = (
        f"sandbox allow-scripts; default-src 'none'; img-src {here} data: blob:; style-src {here} 'unsafe-inline'; "
        f"script-src {here} 'unsafe-inline'; font-src {here} data:; media-src {here} data:; connect-src 'none'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
    )
    return [
        ("Content-Security-Policy", policy),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
        ("Access-Control-Allow-Origin", "null"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ]


def _with_charset(store: FolderStore, path: str, kind: str) -> str:
    """The type of a file; pages that do not name their encoding are UTF-8."""
    if kind == "text/html":
        with store.open(path) as stream:
            if b"charset" in stream.read(HEAD).lower():
                return kind
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _refused(start_response: Any, status: str, why: str) -> list[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
    start_response(status, [*headers, ("Content-Security-Policy", "default-src 'none'; sandbox")])
    return [f"{why}\n".encode()]
