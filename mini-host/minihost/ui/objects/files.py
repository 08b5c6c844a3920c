"""The files of folders as answers of their own: a picture, a download, the beginning of a text."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote

from flask import Flask, Response, abort, render_template, request
from werkzeug.utils import secure_filename

from minihost.errors import HostError
from minihost.ui.objects import places
from minihost.ui.objects.addresses import asked, shown, shown_name
from minihost.ui.objects.file_answers import file_answer
from minihost.ui.objects.media import PICTURES, TEXTS, ending
from minihost.ui.objects.places import Place
from minihost.ui.workspace import Workspace

BEGINNING = 64 << 10
"""Bytes of a text that are shown."""

ALONE = "default-src 'none'; img-src 'self'; sandbox"
"""The policy of a file that is opened by itself: it is no page of ours."""


def register(app: Flask, workspace: Workspace) -> None:
    """Add `/picture`, `/file` and `/folder/text`."""

    @app.get("/picture")
    def picture() -> Response:
        place, path = _asked(workspace)
        kind = PICTURES.get(ending(path))
        if kind is None:
            abort(404, "Browsers do not show files of this kind as pictures.")
        answer = _file(place, path, kind)
        answer.headers["Cache-Control"] = "private, max-age=600" if "v" in asked() else "no-store"
        return answer

    @app.get("/file")
    def file() -> Response:
        place, path = _asked(workspace)
        answer = _file(place, path, "application/octet-stream")
        name = shown_name(path.rpartition("/")[2])
        plain = secure_filename(name) or "file"
        answer.headers["Content-Disposition"] = f"attachment; filename={plain}; filename*=UTF-8''{quote(name, safe='')}"
        return answer

    @app.get("/folder/text")
    def text() -> str:
        place, path = _asked(workspace)
        if ending(path) not in TEXTS:
            abort(404, "Files of this kind are not shown as text.")
        try:
            with place.store().open(path) as stream:
                content = stream.read(BEGINNING + 1)
        except OSError as err:
            abort(404, _sentence(path, err))
        beginning = shown(content[:BEGINNING].decode("utf-8", "replace").replace("\r\n", "\n"))
        return render_template("text.html", text=beginning, is_cut=len(content) > BEGINNING, path=path)


def _asked(workspace: Workspace) -> tuple[Place, str]:
    """The folder and the path in it that a request names."""
    query = asked()
    return places.found(workspace.opened(), "folder", query.get("ref", "")), query.get("path", "")


def _file(place: Place, path: str, kind: str) -> Response:
    try:
        found = file_answer(place.store(), path, kind, request.environ)
    except (OSError, HostError) as err:
        abort(404, _sentence(path, err))
    found.headers["Content-Security-Policy"] = ALONE
    return cast(Response, Response.force_type(found))


def _sentence(path: str, err: Exception) -> str:
    if isinstance(err, HostError):
        return shown_name(str(err))
    return f"{shown_name(path)[:300]} cannot be read: {getattr(err, 'strerror', None) or err}."
