"""The ASGI application: routes, the gate before them, one form of error, and what is counted of each request."""

from __future__ import annotations

import threading
import time
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vision_recipes.serving.http import api_node, classify_api, open_inference, openapi
from vision_recipes.serving.http.answers import Refused, error_answer, json_answer
from vision_recipes.serving.http.bodies import Bodies, with_body
from vision_recipes.serving.http.gate import Gate
from vision_recipes.serving.http.metrics import Metrics, metrics
from vision_recipes.serving.served_models import ServedModels

NODE = "/public/api/v1/{service}/{endpoint}"
GETS = {
    "/": openapi.start,
    "/docs": openapi.page,
    "/openapi.json": openapi.document,
    "/metrics": metrics,
    "/v1/models": classify_api.list_models,
    "/v1/models/{model}": classify_api.model_status,
    "/v2": open_inference.server,
    "/v2/health/live": open_inference.live,
    "/v2/health/ready": open_inference.ready,
    "/v2/models": classify_api.list_models,
    "/v2/models/{model}": open_inference.model_metadata,
    "/v2/models/{model}/ready": open_inference.model_ready,
    "/v2/models/{model}/versions/{version}": open_inference.model_metadata,
    "/v2/models/{model}/versions/{version}/ready": open_inference.model_ready,
}
POSTS = {
    "/v1/classify": classify_api.classify,
    "/v1/models/{model}:predict": classify_api.predict,
    "/v2/models/{model}/infer": open_inference.infer,
    "/v2/models/{model}/versions/{version}/infer": open_inference.infer,
    f"{NODE}/run": api_node.run,
    f"{NODE}/predict": api_node.predict,
    f"{NODE}/predict-multi": api_node.predict_multi,
}


def application(models: ServedModels, gate: Gate, largest_body: int, ending: threading.Event) -> ASGIApp:
    """Return the application over served models; `largest_body` is in bytes, `ending` is set when the server ends."""
    routes = [Route(path, with_body(answer), methods=["POST"]) for path, answer in POSTS.items()]
    routes += [Route(path, answer, methods=["GET"]) for path, answer in GETS.items()]
    inner = Starlette(
        routes=routes,
        exception_handlers={Refused: _refused, HTTPException: _unknown, ClientDisconnect: _gone, Exception: _failed},
    )
    inner.router.redirect_slashes = False
    inner.state.models, inner.state.ending = models, ending
    inner.state.bodies, inner.state.metrics = Bodies(largest_body), Metrics(models)
    return Entrance(inner, gate, inner.state.metrics)


class Entrance:
    """The way into the application: the gate first; every answer is counted and gets the headers that all have."""

    def __init__(self, inner: ASGIApp, gate: Gate, metrics: Metrics) -> None:
        self._inner, self._gate, self._metrics = inner, gate, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        started, headers, status, reads = time.perf_counter(), Headers(scope=scope), 0, False

        async def counted_receive() -> Message:
            nonlocal reads
            reads = True
            return await receive()

        async def counted_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer = MutableHeaders(scope=message)
                answer["x-content-type-options"] = "nosniff"
                if "expect" in headers and not reads:
                    answer["connection"] = "close"
            await send(message)

        try:
            self._gate.check(scope["method"], scope["path"], scope["http_version"], headers)
            await self._inner(scope, counted_receive, counted_send)
        except Refused as refused:
            await error_answer(refused)(scope, receive, counted_send)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.count_request(route, status, time.perf_counter() - started)


async def _refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, Refused)
    return error_answer(refused)


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words: dict[int, Any] = {
        404: "there is nothing at this path; /docs lists the paths",
        405: f"{request.method[:20]} is not answered at this path",
    }
    return json_answer({"error": words.get(error.status_code, error.detail)}, error.status_code, error.headers)


async def _gone(request: Request, error: Exception) -> Response:
    """Answer nobody: the client has left before its body was whole."""
    return json_answer({"error": "the body did not arrive"}, 400)


async def _failed(request: Request, error: Exception) -> Response:
    return json_answer({"error": "internal error; the server's log says more"}, 500)
