"""Our own protocol, /v1/classify, and KServe's first one, /v1/models: rows as vision-classify writes them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vision_recipes.errors import did_you_mean
from vision_recipes.serving.http.answers import Refused, json_answer
from vision_recipes.serving.http.posted import Posted, counted, decoded, from_request, parsed
from vision_recipes.serving.http.scoring import (
    SETTINGS,
    column_names,
    model_named,
    only_model,
    row,
    scored,
    settings_of,
)


def status_of(rows: list[dict[str, Any]]) -> int:
    """Return 200, or 422 when no picture of a request could be read: then nothing was answered."""
    return 422 if all(one["error"] for one in rows) else 200


async def classify(request: Request, body: bytes) -> Response:
    """Answer POST /v1/classify."""
    query = dict(request.query_params)
    model = model_named(request, query["model"]) if "model" in query else only_model(request)
    columns = column_names(model)
    for name in query:
        if name not in ("model", *SETTINGS, *columns):
            raise Refused(
                400, f"unknown parameter {name[:100]!r}.{did_you_mean(name[:100], ('model', *SETTINGS, *columns))}"
            )
    settings = settings_of(query)
    posted = from_request(request, body, columns)
    answers = await scored(request, model, posted)
    rows = [row(one, found, settings) for one, found in zip(posted, answers, strict=True)]
    return json_answer({"model": model.name, "version": answers[0].version, "rows": rows}, status_of(rows))


async def list_models(request: Request) -> Response:
    """Answer GET /v1/models and GET /v2/models."""
    return json_answer({"models": request.app.state.models.names()})


async def model_status(request: Request) -> Response:
    """Answer GET /v1/models/M."""
    model = model_named(request, request.path_params["model"])
    return json_answer({"name": model.name, "ready": "True" if model.ready else "False"})


async def predict(request: Request, body: bytes) -> Response:
    """Answer POST /v1/models/M:predict, KServe's protocol V1: `instances` in base64, `predictions` as rows."""
    model = model_named(request, request.path_params["model"])
    instances = parsed(body).get("instances")
    if not isinstance(instances, list):
        raise Refused(400, '"instances" is missing or no list: send {"instances": [{"b64": "<base64>"}, ...]}')
    contents = [_content(instance, f"instances[{place}]") for place, instance in enumerate(instances)]
    posted = counted([Posted(content) for content in contents])
    answers = await scored(request, model, posted)
    rows = [row(one, found) for one, found in zip(posted, answers, strict=True)]
    return json_answer({"predictions": rows}, status_of(rows))


def _content(instance: Any, where: str) -> bytes:
    if isinstance(instance, dict) and "b64" not in instance and len(instance) == 1:
        ((name, instance),) = instance.items()
        where = f"{where}.{name[:100]}"
    return decoded(instance, where)
