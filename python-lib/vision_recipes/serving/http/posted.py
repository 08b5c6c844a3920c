"""Pictures as requests bring them: multipart forms, raw bytes and JSON become a list of one kind."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from starlette.requests import Request

from vision_recipes import strict_json
from vision_recipes.images.decoding import Rejected
from vision_recipes.serving.base64_pictures import from_base64
from vision_recipes.serving.http.answers import Refused

MOST_PICTURES = 256
"""Pictures of a request."""
MOST_PARTS = 1000
MOST_OBJECTS, MOST_ARRAYS, MOST_ITEMS = 10_000, 500_000, 2_000_000
"""What a JSON body may hold, before it is parsed: as Python objects it takes many times the room."""
CURL = "application/x-www-form-urlencoded"
"""What curl says of any body unless it is told better; forms of this kind hold no files, so none is meant."""


@dataclass(frozen=True)
class Posted:
    """A picture: a file's bytes, or decoded pixels, uint8 (height, width, 3) RGB; its name, its table columns."""

    content: bytes | np.ndarray
    name: str = ""
    cells: Mapping[str, Any] | None = None


def from_request(request: Request, body: bytes, columns: Sequence[str]) -> list[Posted]:
    """Return the pictures of a body by its content type; `columns` are the table columns that the model takes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == CURL:
        kind = "application/json" if body[:1] == b"{" else ""
    if kind == "multipart/form-data":
        found = _from_form(request.headers["content-type"], body, columns)
    elif kind in ("application/json", "text/json"):
        found = _from_json(parsed(body), columns)
    elif kind.startswith("image/") or kind in ("application/octet-stream", ""):
        if not body:
            raise Refused(400, "the body is empty: send the bytes of a picture")
        given = {name: value for name, value in request.query_params.items() if name in columns}
        found = [Posted(body, "", given or None)]
    else:
        raise Refused(
            415,
            f"the content type is {kind[:100]!r}: send image/* or application/octet-stream (one picture), "
            "multipart/form-data (files) or application/json",
        )
    return counted(found)


def counted(found: list[Posted]) -> list[Posted]:
    """Return the pictures, at least one and not too many."""
    if not found:
        raise Refused(400, "the request holds no picture")
    if len(found) > MOST_PICTURES:
        raise Refused(413, f"the request holds {len(found)} pictures; at most {MOST_PICTURES} are taken at a time")
    return found


def parsed(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; raises Refused."""
    sizes = body.count(b"{"), body.count(b"["), body.count(b",")
    if any(size > most for size, most in zip(sizes, (MOST_OBJECTS, MOST_ARRAYS, MOST_ITEMS), strict=True)):
        raise Refused(413, "the JSON body holds too many values: send pictures as files, or pixels as binary data")
    try:
        data = strict_json.loads(body.decode("utf-8-sig"))
    except ValueError as err:
        raise Refused(400, f"the body is not valid JSON ({str(err)[:200]})") from err
    if not isinstance(data, dict):
        raise Refused(400, f"the body is a JSON {type(data).__name__}, not an object")
    return data


def decoded(text: Any, where: str) -> bytes:
    """Return the bytes of base64 text (see base64_pictures), also as the object {"b64": text}; raises Refused."""
    if isinstance(text, dict) and set(text) == {"b64"}:
        text = text["b64"]
    try:
        return from_base64(text, sys.maxsize)  # the body has a limit, and a picture another one
    except Rejected as err:
        raise Refused(400, f"{where}: {err.detail}") from err


def cells_of(given: Any, columns: Sequence[str], where: str) -> Mapping[str, Any] | None:
    """Return a picture's table columns, checked; None without any."""
    if given is None or given == {}:
        return None
    if not isinstance(given, dict):
        raise Refused(400, f"{where} is {str(given)[:50]!r}, not an object of column names and values")
    for name, value in given.items():
        if name not in columns:
            known = ", ".join(columns) or "none"
            raise Refused(400, f"{where}: the model takes no column {name[:100]!r} (its columns: {known})")
        if isinstance(value, dict | list):
            raise Refused(400, f"{where}: the value of {name!r} is not a number or a text")
    return given


def _from_json(data: Mapping[str, Any], columns: Sequence[str]) -> list[Posted]:
    if unknown := sorted(set(data) - {"images"}):
        raise Refused(400, f'unknown key {unknown[0][:100]!r}: the body is {{"images": [...]}}')
    images = data.get("images")
    if not isinstance(images, list):
        raise Refused(400, '"images" is missing or no list: send {"images": ["<base64>", ...]}')
    return [_from_item(item, f"images[{place}]", columns) for place, item in enumerate(images)]


def _from_item(item: Any, where: str, columns: Sequence[str]) -> Posted:
    if not isinstance(item, dict):
        return Posted(decoded(item, where))
    if unknown := sorted(set(item) - {"content", "name", "columns"}):
        raise Refused(400, f"{where} has the unknown key {unknown[0][:100]!r}: known are content, name and columns")
    name = item.get("name", "")
    if not isinstance(name, str):
        raise Refused(400, f"{where}.name is not a text")
    cells = cells_of(item.get("columns"), columns, f"{where}.columns")
    return Posted(decoded(item.get("content"), f"{where}.content"), name[:1000], cells)


def _from_form(content_type: str, body: bytes, columns: Sequence[str]) -> list[Posted]:
    pictures: list[Posted] = []
    fields: dict[str, list[str]] = {}
    for name, file_name, content in _parts(content_type, body):
        if file_name is not None:
            pictures.append(Posted(content, file_name[:1000]))
        elif name in columns:
            fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
        else:
            raise Refused(400, f"the form's field {name[:100]!r} is neither a file nor a column of the model")
    for name, values in fields.items():
        if len(values) != len(pictures):
            raise Refused(
                400, f"the form has {len(values)} values of {name!r} for {len(pictures)} files: one each, in order"
            )
    return [
        replace(one, cells={name: values[place] for name, values in fields.items()} or None)
        for place, one in enumerate(pictures)
    ]


def _parts(content_type: str, body: bytes) -> Iterable[tuple[str, str | None, bytes]]:
    """Yield the name, the file name (None for a field) and the content of each part; raises Refused."""
    import multipart

    _kind, options = multipart.parse_options_header(content_type)
    try:
        limits = {"max_header_size": 4096, "max_header_count": 8, "max_segment_count": MOST_PARTS}
        with multipart.PushMultipartParser(options.get("boundary", ""), strict=True, **limits) as parser:
            segment: multipart.MultipartSegment | None = None
            chunks: list[bytes] = []
            for event in parser.parse(body):
                if isinstance(event, multipart.MultipartSegment):
                    segment, chunks = event, []
                elif event:
                    chunks.append(bytes(event))
                elif segment is not None:
                    yield segment.name or "", segment.filename, b"".join(chunks)
    except multipart.ParserLimitReached as err:
        raise Refused(413, f"the multipart body is over a limit: {err}") from err
    except multipart.MultipartError as err:
        raise Refused(400, f"the body is no multipart form: {err}") from err
