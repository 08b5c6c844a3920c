"""One file of a folder as the answer to a request, streamed; parts of it where a browser asks for a range."""

from __future__ import annotations

import os
from typing import Any

from werkzeug.http import http_date
from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

from minihost.folders.store import FolderStore

PIECE = 1 << 18


def file_answer(store: FolderStore, path: str, kind: str, environ: dict[str, Any]) -> Response:
    """Return the answer with a file's content, of the type that is given and no other; raises OSError."""
    stream = store.open(path)
    try:
        size, changed = _facts(store, path, stream)
    except OSError:
        stream.close()
        raise
    answer = Response(FileWrapper(stream, PIECE), mimetype=None, direct_passthrough=True)
    answer.call_on_close(stream.close)
    answer.headers["Content-Type"] = kind
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.content_length = size
    if changed:
        answer.headers["Last-Modified"] = http_date(changed)
        answer.set_etag(f"{changed:.6f}-{size}")
    try:
        return answer.make_conditional(environ, accept_ranges=stream.seekable(), complete_length=size)
    except BaseException:
        stream.close()
        raise


def _facts(store: FolderStore, path: str, stream: Any) -> tuple[int, float]:
    try:
        found = os.fstat(stream.fileno())
    except OSError:  # no file of this machine
        facts = store.facts(path)
        if facts is None:
            raise FileNotFoundError(path) from None
        return facts.size, facts.modified
    return found.st_size, found.st_mtime
