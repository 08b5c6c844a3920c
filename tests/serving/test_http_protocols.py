"""One model, three protocols: every answer is the row that vision-classify writes."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from images.files import encoded, picture
from inference.tiny import write_tiny_model
from PIL import Image
from serving.endpoint import Endpoint

from vision_recipes.classify import classify
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore

pytestmark = pytest.mark.network
CPU = ComputeSettings(engine="openvino")
NODE = "/public/api/v1/pictures/tiny"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("http")
    (root / "pictures").mkdir()
    for number, kind in enumerate(("PNG", "JPEG", "WEBP", "GIF")):
        (root / "pictures" / f"{number}.{kind.lower()}").write_bytes(encoded(picture(20 + 9 * number, 40), kind))
    (root / "pictures" / "text").write_bytes(b"hello")
    write_tiny_model(root / "tiny")
    write_tiny_model(root / "extra", seed=1, extra=True)
    return root


@pytest.fixture(scope="module")
def endpoint(root: Path):
    endpoint = Endpoint(f"tiny={root / 'tiny'}", f"second={root / 'extra'}")
    yield endpoint
    assert endpoint.stop()[0] == 0


@pytest.fixture(scope="module")
def contents(root: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((root / "pictures").iterdir())]


def rows_of(root: Path, **settings) -> list[dict]:
    """The rows of the recipe, with the prediction as the object that its text holds."""
    pictures, model = LocalStore(root / "pictures"), LocalStore(root / "tiny")
    rows = list(classify(pictures, model, ClassifySettings(compute=CPU, **settings)))
    return [row | {"prediction": json.loads(row["prediction"]) if row["prediction"] else None} for row in rows]


def bare(row: dict) -> dict:
    return {name: value for name, value in row.items() if name != "images"}


def nameless(rows: list[dict]) -> list[dict]:
    return [row | {"images": ""} for row in rows]


def form(contents: list[bytes], names: list[str], **fields: list[str]) -> tuple[bytes, str]:
    parts = [
        f'--xyz\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, content in zip(names, contents, strict=True)
    ]
    for field, values in fields.items():
        parts += [
            f'--xyz\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{one}\r\n'.encode() for one in values
        ]
    return b"".join(parts) + b"--xyz--\r\n", "multipart/form-data; boundary=xyz"


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_classify_answers_as_the_recipe(endpoint: Endpoint, root: Path, contents: list[bytes]) -> None:
    expected = rows_of(root)
    names = [row["images"] for row in expected]
    body, kind = form(contents, names)
    status, found, _headers = endpoint.ask("POST", "/v1/classify?model=tiny", body, content_type=kind)
    assert (status, found["rows"]) == (200, expected)
    assert list(found["rows"][0]["prediction"]) == list(expected[0]["prediction"]), "best first"
    items = [{"content": text(content), "name": name} for content, name in zip(contents, names, strict=True)]
    assert endpoint.post("/v1/classify?model=tiny", {"images": items})[1]["rows"] == expected
    data = [f"data:image/jpeg;base64,{text(content)}" for content in contents]
    assert endpoint.post("/v1/classify?model=tiny", {"images": data})[1]["rows"] == nameless(expected)
    unpadded = [base64.urlsafe_b64encode(content).decode().rstrip("=") for content in contents]
    assert endpoint.post("/v1/classify?model=tiny", {"images": unpadded})[1]["rows"] == nameless(expected)
    few = rows_of(root, max_nb_labels=2, min_threshold=0.1)
    path = "/v1/classify?model=tiny&max_nb_labels=2&min_threshold=0.1"
    for content, row in zip(contents, few, strict=True):
        status, found, _headers = endpoint.ask("POST", path, content, content_type="application/octet-stream")
        assert (status, found["rows"]) == (422 if row["error"] else 200, nameless([row]))


def test_predict_of_kserves_first_protocol(endpoint: Endpoint, root: Path, contents: list[bytes]) -> None:
    instances = [{"image_bytes": {"b64": text(content)}} for content in contents[:2]] + [{"b64": text(contents[2])}]
    status, found = endpoint.post("/v1/models/tiny:predict", {"instances": instances})
    assert (status, found) == (200, {"predictions": nameless(rows_of(root)[:3])})
    assert endpoint.ask("GET", "/v1/models")[1] == {"models": ["tiny", "second"]}
    assert endpoint.ask("GET", "/v1/models/tiny")[1] == {"name": "tiny", "ready": "True"}


def test_a_model_with_table_columns_takes_them_in_every_form(endpoint: Endpoint, contents: list[bytes]) -> None:
    cells = [{"price": "7", "town": "Oslo"}, {"price": "30", "town": "Rome"}]
    images = [{"content": text(one), "columns": cell} for one, cell in zip(contents, cells, strict=False)]
    expected = endpoint.post("/v1/classify?model=second", {"images": images})[1]["rows"]
    without = endpoint.post("/v1/classify?model=second", {"images": [text(one) for one in contents[:2]]})[1]["rows"]
    assert expected != without
    body, kind = form(contents[:2], ["", ""], price=["7", "30"], town=["Oslo", "Rome"])
    assert endpoint.ask("POST", "/v1/classify?model=second", body, content_type=kind)[1]["rows"] == expected
    query = "/v1/classify?model=second&price=30&town=Rome"
    assert endpoint.ask("POST", query, contents[1], content_type="image/png")[1]["rows"] == expected[1:]
    tensors = [
        {"name": "image", "datatype": "BYTES", "shape": [2], "data": [text(one) for one in contents[:2]]},
        {"name": "price", "datatype": "INT64", "shape": [2, 1], "data": [[7], [30]]},
        {"name": "town", "datatype": "BYTES", "shape": [2], "data": ["Oslo", "Rome"]},
    ]
    outputs = endpoint.post("/v2/models/second/infer", {"inputs": tensors})[1]["outputs"]
    assert outputs[1]["data"] == [float(np.float32(row["probability"])) for row in expected]
    features = {"features": {"input": text(contents[0]), "price": 7, "town": "Oslo"}}
    assert endpoint.post("/public/api/v1/pictures/second/run", features)[1]["response"] == bare(expected[0])
    body, kind = form(contents[:2], ["", ""], price=["7"])
    assert endpoint.ask("POST", "/v1/classify?model=second", body, content_type=kind)[0] == 400


def test_open_inference_protocol(endpoint: Endpoint, root: Path, contents: list[bytes]) -> None:
    expected = rows_of(root)
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/tiny/ready"):
        assert endpoint.ask("GET", path)[0] == 200
    assert endpoint.ask("GET", "/v2")[1]["extensions"] == ["binary_tensor_data"]
    described = endpoint.ask("GET", "/v2/models/tiny")[1]
    assert described["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    (version,) = described["versions"]
    asked = {"name": "image", "datatype": "BYTES", "shape": [5], "data": [text(content) for content in contents]}
    status, found = endpoint.post(f"/v2/models/tiny/versions/{version}/infer", {"id": "42", "inputs": [asked]})
    assert (status, found["id"], found["model_name"], found["model_version"]) == (200, "42", "tiny", version)
    outputs = {output["name"]: output for output in found["outputs"]}
    assert outputs["label"]["data"] == [row["label"] or "" for row in expected]
    assert outputs["reason"]["data"] == ["", "", "", "", "not_an_image"]
    assert outputs["probabilities"]["shape"] == [5, 5] and len(outputs["probabilities"]["data"]) == 25
    every = np.reshape(outputs["probabilities"]["data"], (5, 5))
    assert every.max(1) == pytest.approx([row["probability"] or 0 for row in expected], rel=1e-5)
    asked = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [text(b"hello")]}
    status, found = endpoint.post("/v2/models/tiny/infer", {"inputs": [asked]})
    assert (status, found) == (422, {"error": "no picture could be read: not_an_image"})


def test_pixels_in_json_and_in_binary(endpoint: Endpoint) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (2, 16, 24, 3), np.uint8)
    files = [text(encoded(Image.fromarray(one), "PNG")) for one in pixels]
    expected = [row["probability"] for row in endpoint.post("/v1/classify?model=tiny", {"images": files})[1]["rows"]]
    tensor = {"name": "image", "datatype": "UINT8", "shape": [2, 16, 24, 3]}
    output = [{"name": "probability"}]
    asked = {"inputs": [tensor | {"data": pixels.tolist()}], "outputs": output}
    found = endpoint.post("/v2/models/tiny/infer", asked)[1]["outputs"][0]["data"]
    assert found == [float(np.float32(one)) for one in expected]
    tensor["parameters"] = {"binary_data_size": pixels.nbytes}
    output[0]["parameters"] = {"binary_data": True}
    head = json.dumps({"inputs": [tensor], "outputs": output}).encode()
    length = {"inference_header_content_length": str(len(head))}
    status, body, headers = endpoint.ask("POST", "/v2/models/tiny/infer", head + pixels.tobytes(), **length)
    size = int(headers["inference-header-content-length"])
    assert status == 200 and json.loads(body[:size])["outputs"][0]["parameters"] == {"binary_data_size": 8}
    assert np.frombuffer(body[size:], "<f4").tolist() == found


def test_questions_of_the_api_node(endpoint: Endpoint, root: Path, contents: list[bytes]) -> None:
    expected = nameless(rows_of(root))
    for body in (
        {"features": {"input": text(contents[0])}},
        {"input": text(contents[0])},
        {"img_b64": text(contents[0])},
    ):
        status, found = endpoint.post(f"{NODE}/run", body)
        assert (status, found["response"]) == (200, bare(expected[0]))
        assert found["apiContext"] == {"serviceId": "pictures", "endpointId": "tiny"}
    status, found = endpoint.post(f"{NODE}/run", {"input": [text(content) for content in contents]})
    assert [{name: one[name] for name in bare(expected[0])} for one in found["response"]] == [*map(bare, expected)]
    assert found["response"][4]["reason"] == "not_an_image" and "detail" in found["response"][4]
    result = {"prediction": expected[1]["label"], "probas": expected[1]["prediction"]}
    status, found = endpoint.post(f"{NODE}/predict", {"features": {"input": text(contents[1])}})
    assert status == 200 and found["result"] == result | {"probability": expected[1]["probability"]}
    items = [{"features": {"input": text(content), "max_nb_labels": 1}} for content in contents]
    results = endpoint.post(f"{NODE}/predict-multi", {"items": items})[1]["results"]
    assert [one.get("prediction") for one in results] == [row["label"] for row in expected]
    assert results[4] == {"ignored": True, "ignoreReason": "not_an_image"} and len(results[0]["probas"]) == 1


def test_the_document_names_every_path_and_the_page_is_its_own(endpoint: Endpoint) -> None:
    from vision_recipes.serving.http.application import GETS, POSTS

    status, document, _headers = endpoint.ask("GET", "/openapi.json")
    assert set(document["paths"]) == {*GETS, *POSTS} - {"/", "/docs"}
    status, page, headers = endpoint.ask("GET", "/docs")
    assert status == 200 and b"default-src 'none'" in headers["content-security-policy"].encode()
    assert re.findall(rb"(?:src|href)=\W?https?:", page) == []
    assert endpoint.ask("GET", "/")[2]["location"] == "docs"


def test_metrics(endpoint: Endpoint, contents: list[bytes]) -> None:
    endpoint.post("/v1/classify?model=second", {"images": [text(b"hello")]})
    endpoint.post("/v1/classify?model=second", {"images": [text(contents[0])]})
    body = endpoint.ask("GET", "/metrics")[1].decode()
    assert 'vision_serve_pictures_total{model="second",reason="not_an_image"} ' in body
    assert 'vision_serve_requests_total{route="/v1/classify",status="422"} ' in body
    for stage in ("queue", "decode", "infer"):
        assert re.search(rf'vision_serve_stage_seconds_count\{{stage="{stage}"\}} [1-9]', body)
    assert re.search(r"vision_serve_batch_pictures_sum [1-9]", body)
    assert re.search(r'vision_serve_model\{model="tiny",version="[0-9a-f]{64}"\} 1.0', body)
