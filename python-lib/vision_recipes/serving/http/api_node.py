"""The question form of the DSS API node: a service, an endpoint, a picture in base64 among the features."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vision_recipes.serving.http.answers import Refused, json_answer
from vision_recipes.serving.http.posted import Posted, cells_of, counted, decoded, parsed
from vision_recipes.serving.http.scoring import (
    SETTINGS,
    column_names,
    model_named,
    only_model,
    row,
    scored,
    settings_of,
)
from vision_recipes.serving.scorer import Scored
from vision_recipes.serving.served_models import ServedModel
from vision_recipes.settings import ClassifySettings

INPUTS = ("input", "img_b64")
"""Names of the feature that holds a picture; the second is that of the earlier plugin's endpoint."""


async def run(request: Request, body: bytes) -> Response:
    """Answer POST …/run, the question to a Python function, as the code of vision-api-endpoint answers it.

    A picture's answer is its row, a list of pictures gets a list of rows.
    """
    started, data, model = time.perf_counter(), parsed(body), _model(request)
    features, where = (data["features"], "features") if "features" in data else (data, "the body")
    asked = _posted_list(features, model, where)
    answers = await scored(request, model, counted([one for one, _settings in asked]))
    rows = [_function_row(one, found, settings) for (one, settings), found in zip(asked, answers, strict=True)]
    is_list = any(name in INPUTS and isinstance(value, list) for name, value in _items(features))
    return _answer(request, started, {"response": rows if is_list else rows[0]})


async def predict(request: Request, body: bytes) -> Response:
    """Answer POST …/predict, the question to a prediction model."""
    started, model = time.perf_counter(), _model(request)
    posted, settings = _posted(parsed(body).get("features"), model, "features")
    (found,) = await scored(request, model, [posted])
    return _answer(request, started, {"result": _result(row(posted, found, settings))})


async def predict_multi(request: Request, body: bytes) -> Response:
    """Answer POST …/predict-multi, several such questions at once."""
    started, model = time.perf_counter(), _model(request)
    items = parsed(body).get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Refused(400, '"items" is missing or no list of objects: send {"items": [{"features": {...}}, ...]}')
    asked = [_posted(item.get("features"), model, f"items[{place}].features") for place, item in enumerate(items)]
    posted = counted([one for one, _settings in asked])
    answers = await scored(request, model, posted)
    results = [_result(row(one, found, settings)) for (one, settings), found in zip(asked, answers, strict=True)]
    return _answer(request, started, {"results": results})


def _model(request: Request) -> ServedModel:
    """Return the model that is named as the endpoint; where one alone is served, any endpoint is that one."""
    name = request.path_params["endpoint"]
    return only_model(request) if len(request.app.state.models.names()) == 1 else model_named(request, name)


def _posted(features: Any, model: ServedModel, where: str) -> tuple[Posted, ClassifySettings]:
    if not isinstance(features, dict):
        raise Refused(400, f'{where} is no object: send {{"features": {{"input": "<base64>"}}}}')
    given = [name for name in INPUTS if name in features]
    if len(given) != 1:
        raise Refused(400, f'{where} must hold one picture in base64, as "input"')
    others: Mapping[str, Any] = {name: value for name, value in features.items() if name not in (*INPUTS, *SETTINGS)}
    content = decoded(features[given[0]], f"{where}.{given[0]}")
    return Posted(content, "", cells_of(others, column_names(model), where)), settings_of(features)


def _posted_list(features: Any, model: ServedModel, where: str) -> list[tuple[Posted, ClassifySettings]]:
    """Return the pictures of features that hold one or a list; other lists have a value for each of them."""
    lists = {name: value for name, value in _items(features) if isinstance(value, list)}
    sizes = {len(value) for value in lists.values()}
    if not lists:
        return [_posted(features, model, where)]
    if len(sizes) != 1 or not set(lists) & set(INPUTS):
        raise Refused(400, f"{where}: lists must hold a value for each picture of a list")
    (size,) = sizes
    rows = ({name: value[place] for name, value in lists.items()} for place in range(size))
    return [_posted({**features, **row}, model, f"{where}, picture {place}") for place, row in enumerate(rows)]


def _items(features: Any) -> list[tuple[str, Any]]:
    return list(features.items()) if isinstance(features, dict) else []


def _function_row(one: Posted, found: Scored, settings: ClassifySettings) -> dict[str, Any]:
    answer = row(one, found, settings)
    del answer["images"]
    return answer | {"detail": found.picture.detail} if answer["error"] else answer


def _result(row: dict[str, Any]) -> dict[str, Any]:
    if row["error"]:
        return {"ignored": True, "ignoreReason": row["reason"]}
    return {
        "prediction": row["label"],
        "probas": row["prediction"],
        **{name: row[name] for name in ("probability", "verdict") if name in row},
    }


def _answer(request: Request, started: float, answer: dict[str, Any]) -> Response:
    context = {"serviceId": request.path_params["service"], "endpointId": request.path_params["endpoint"]}
    timing = {"execution": round(1e6 * (time.perf_counter() - started))}
    return json_answer(answer | {"timing": timing, "apiContext": context})
