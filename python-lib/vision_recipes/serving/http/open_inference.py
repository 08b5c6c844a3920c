"""The Open Inference Protocol (KServe V2) over REST: health, metadata, inference."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from vision_recipes.resources import plugin_version
from vision_recipes.serving.http.answers import Refused, json_answer
from vision_recipes.serving.http.posted import Posted, counted, parsed
from vision_recipes.serving.http.scoring import column_names, model_named, scored
from vision_recipes.serving.http.tensors import Tensor, read_inputs, write_output
from vision_recipes.serving.scorer import Scored
from vision_recipes.serving.served_models import ServedModel

IMAGE = "image"
"""The name of the input that holds pictures: files as BYTES (n,), or pixels as UINT8 (n, height, width, 3)."""
OUTPUTS = {"label": "BYTES", "probability": "FP32", "verdict": "BYTES", "reason": "BYTES", "probabilities": "FP32"}
"""The output tensors, of shape (n,), the last one (n, classes); verdicts are empty without a detector."""
HEADER = "inference-header-content-length"
"""How long the JSON is before the binary data, in requests and answers."""


async def live(request: Request) -> Response:
    """Answer GET /v2/health/live."""
    return json_answer({"live": True})


async def ready(request: Request) -> Response:
    """Answer GET /v2/health/ready: 503 once the server ends."""
    models = request.app.state.models
    is_ready = not request.app.state.ending.is_set() and all(models.get(name).ready for name in models.names())
    return json_answer({"live": True, "ready": is_ready}, 200 if is_ready else 503)


async def server(request: Request) -> Response:
    """Answer GET /v2."""
    return json_answer({"name": "vision-serve", "version": plugin_version(), "extensions": ["binary_tensor_data"]})


async def model_ready(request: Request) -> Response:
    """Answer GET /v2/models/M/ready."""
    model = _model(request)
    return json_answer({"name": model.name, "ready": model.ready}, 200 if model.ready else 503)


async def model_metadata(request: Request) -> Response:
    """Answer GET /v2/models/M."""
    model = _model(request)
    columns = [
        {"name": column.name, "datatype": "FP64" if column.kind == "number" else "BYTES", "shape": [-1]}
        for column in model.extra_columns
    ]
    outputs: list[dict[str, Any]] = [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in OUTPUTS.items()]
    outputs[-1]["shape"].append(len(model.labels))
    return json_answer(
        {
            "name": model.name,
            "versions": [model.version],
            "platform": "openvino_ir",
            "inputs": [{"name": IMAGE, "datatype": "BYTES", "shape": [-1]}, *columns],
            "outputs": outputs,
        }
    )


async def infer(request: Request, body: bytes) -> Response:
    """Answer POST /v2/models/M/infer."""
    model = _model(request)
    question, binary = _split(request, body)
    asked = _asked_for(question)
    posted = _posted(read_inputs(question.get("inputs"), binary), model)
    answers = await scored(request, model, posted)
    if all(found.scores is None for found in answers):
        reasons = sorted({found.row["reason"] for found in answers})
        raise Refused(422, f"no picture could be read: {', '.join(reasons)}")
    values = _values(answers)
    written = [write_output(name, OUTPUTS[name], values[name], is_binary) for name, is_binary in asked.items()]
    answer: dict[str, Any] = {"model_name": model.name, "model_version": answers[0].version}
    if "id" in question:
        answer["id"] = str(question["id"])[:1000]
    return _response(answer | {"outputs": [tensor for tensor, _content in written]}, [one for _tensor, one in written])


def _model(request: Request) -> ServedModel:
    model, version = model_named(request, request.path_params["model"]), request.path_params.get("version")
    if version not in (None, model.version):
        raise Refused(404, f"model {model.name!r} has no version {version[:100]!r}: its version is {model.version}")
    return model


def _split(request: Request, body: bytes) -> tuple[dict[str, Any], memoryview]:
    """Return a request's JSON and the binary data behind it."""
    length = request.headers.get(HEADER)
    if length is None:
        return parsed(body), memoryview(b"")
    if not length.isascii() or not length.isdecimal() or len(length) > 12 or int(length) > len(body):
        raise Refused(
            400, f"the header Inference-Header-Content-Length is {length[:100]!r}, not the length of the JSON"
        )
    return parsed(body[: int(length)]), memoryview(body)[int(length) :]


def _asked_for(question: Mapping[str, Any]) -> dict[str, bool]:
    """Return which outputs are asked for, each with whether it is to be binary."""
    parameters, outputs = question.get("parameters", {}), question.get("outputs")
    all_binary = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    if not outputs:
        return dict.fromkeys(OUTPUTS, all_binary)
    asked = {}
    for output in outputs if isinstance(outputs, list) else [outputs]:
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str) or name not in OUTPUTS:
            raise Refused(400, f"there is no output {str(name)[:100]!r}: {', '.join(OUTPUTS)}")
        own = output.get("parameters")
        asked[name] = own.get("binary_data", all_binary) is True if isinstance(own, dict) else all_binary
    return asked


def _posted(tensors: Sequence[Tensor], model: ServedModel) -> list[Posted]:
    by_name = {tensor.name: tensor for tensor in tensors}
    columns = column_names(model)
    if unknown := sorted(set(by_name) - {IMAGE, *columns}):
        raise Refused(400, f"model {model.name!r} has no input {unknown[0]!r}: {', '.join([IMAGE, *columns])}")
    if IMAGE not in by_name or len(by_name) != len(tensors):
        raise Refused(400, f"the input {IMAGE!r} is missing, or an input is given twice")
    contents = _contents(by_name.pop(IMAGE), model)
    cells = {name: tensor.texts() for name, tensor in by_name.items()}
    for name, values in cells.items():
        if len(values) != len(contents):
            raise Refused(400, f"input {name!r} holds {len(values)} values for {len(contents)} pictures")
    rows = [{name: values[place] for name, values in cells.items()} for place in range(len(contents))]
    return counted([Posted(content, "", row or None) for content, row in zip(contents, rows, strict=True)])


def _contents(image: Tensor, model: ServedModel) -> Sequence[bytes | np.ndarray]:
    if image.datatype == "BYTES":
        return image.contents()
    size = (model.height, model.width, 3)
    if image.datatype != "UINT8" or len(image.shape) != 4 or image.shape[1:] != size:
        raise Refused(
            400,
            f"input {IMAGE!r} is {image.datatype[:20]} {list(image.shape)[:8]}: send files as BYTES [n], or RGB pixels "
            f"as UINT8 [n, {size[0]}, {size[1]}, 3]",
        )
    return list(np.ascontiguousarray(image.array()))


def _values(answers: Sequence[Scored]) -> dict[str, Any]:
    """Return the outputs; a picture that could not be read has a reason, an empty label and zeros."""
    nothing = np.zeros(len(answers[0].labels), np.float32)
    rows = [found.row for found in answers]
    return {
        "label": [row["label"] or "" for row in rows],
        "probability": np.array([row["probability"] or 0.0 for row in rows], np.float32),
        "verdict": [row.get("verdict") or "" for row in rows],
        "reason": [row["reason"] for row in rows],
        "probabilities": np.stack([nothing if found.scores is None else found.scores for found in answers]),
    }


def _response(answer: dict[str, Any], contents: Sequence[bytes]) -> Response:
    if not any(contents):
        return json_answer(answer)
    head = json.dumps(answer, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    headers = {"Inference-Header-Content-Length": str(len(head))}
    return Response(b"".join([head, *contents]), headers=headers, media_type="application/octet-stream")
