"""Posted pictures through the queue of a served model, and their rows with what a request asks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
from starlette.requests import Request

from vision_recipes import rows
from vision_recipes.errors import SettingsError, did_you_mean
from vision_recipes.serving.http.answers import Refused, busy
from vision_recipes.serving.http.posted import Posted
from vision_recipes.serving.scorer import Scored
from vision_recipes.serving.served_models import Overloaded, ScoringFailed, ServedModel, ServedModels
from vision_recipes.settings import ClassifySettings

PATIENCE_SECONDS = 30.0
"""How long the later pictures of a request may wait for room in the queue."""
ATTEMPTS = 3
"""A request's pictures are scored again when the model was replaced between them."""
DEFAULT = ClassifySettings()
SETTINGS = ("max_nb_labels", "min_threshold")


def model_named(request: Request, name: str) -> ServedModel:
    """Return a served model; raises Refused with the names that there are."""
    models: ServedModels = request.app.state.models
    try:
        return models.get(name)
    except KeyError:
        known = models.names()
        raise Refused(
            404, f"no model {name[:100]!r} is served, but {', '.join(known)}.{did_you_mean(name[:100], known)}"
        ) from None


def only_model(request: Request) -> ServedModel:
    """Return the served model when there is one alone; raises Refused."""
    names = request.app.state.models.names()
    if len(names) != 1:
        raise Refused(400, f"several models are served: name one of {', '.join(names)}")
    return model_named(request, names[0])


def column_names(model: ServedModel) -> list[str]:
    """Return the names of the table columns that a model takes beside a picture."""
    return [column.name for column in model.extra_columns]


def settings_of(given: dict[str, Any]) -> ClassifySettings:
    """Return the settings of a request; raises Refused for values that cannot be."""
    asked = {name: given[name] for name in SETTINGS if name in given}
    try:
        return ClassifySettings.from_params(asked) if asked else DEFAULT
    except SettingsError as err:
        raise Refused(400, str(err)) from err


async def scored(request: Request, model: ServedModel, posted: Sequence[Posted]) -> list[Scored]:
    """Return the answers in order, all of one version; raises Refused when the queue is full, or there is no answer.

    The first picture finds room at once or the request is refused; the others wait for it.
    """
    for _attempt in range(ATTEMPTS):
        found = await _scored_once(model, posted)
        if len({one.version for one in found}) == 1:
            break
    request.app.state.metrics.count_pictures(model.name, [one.row["reason"] for one in found])
    return found


async def _scored_once(model: ServedModel, posted: Sequence[Posted]) -> list[Scored]:
    waiting: list[asyncio.Future[Scored]] = []
    latest = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    try:
        for one in posted:
            waiting.append(await _accepted(model, one, waiting, latest))
        return [await future for future in waiting]
    except ScoringFailed as err:
        raise Refused(503, str(err), {"retry-after": "1"}) from err
    except ValueError as err:  # pixels for a version that was replaced meanwhile
        raise Refused(400, str(err)) from err
    finally:
        for future in waiting:
            future.cancel()


async def _accepted(
    model: ServedModel, one: Posted, waiting: Sequence[asyncio.Future[Scored]], latest: float
) -> asyncio.Future[Scored]:
    while True:
        try:
            return asyncio.wrap_future(_submitted(model, one))
        except Overloaded as err:
            if not waiting or asyncio.get_running_loop().time() > latest:
                raise busy(err.retry_after_seconds) from err
        if pending := [future for future in waiting if not future.done()]:
            await asyncio.wait(pending, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(0.02)


def _submitted(model: ServedModel, one: Posted) -> Future[Scored]:
    if isinstance(one.content, np.ndarray):
        return model.submit_pixels(one.content, one.cells)
    return model.submit(one.content, one.cells)


def row(one: Posted, found: Scored, settings: ClassifySettings = DEFAULT) -> dict[str, Any]:
    """Return a picture's row as vision-classify writes it; its `prediction` is the object, not its text."""
    answer = dict(found.row)
    if settings is not DEFAULT and found.scores is not None:
        answer |= rows.classified(found.picture, found.scores, found.labels, settings)
    if answer["prediction"] is not None:
        answer["prediction"] = json.loads(answer["prediction"])
    return answer | {"images": one.name}
