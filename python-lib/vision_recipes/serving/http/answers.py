"""Answers in JSON, and what ends a request without one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response


class Refused(Exception):
    """A request that gets an error for an answer; the message says what is wrong with it and what to do."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


def busy(seconds: float) -> Refused:
    """Return the refusal of a server that is at its limits; `seconds` until it may take more."""
    whole = max(1, round(seconds + 0.49))
    return Refused(503, f"the server is busy: try again in {whole} s", {"retry-after": str(whole)})


def json_answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response that holds the data; numbers in it are finite."""
    body = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(body.encode("utf-8", "replace"), status, headers, media_type="application/json")


def error_answer(refused: Refused) -> Response:
    """Return the response to a refused request, in the form that the Open Inference Protocol gives errors."""
    return json_answer({"error": str(refused)}, refused.status, refused.headers)
