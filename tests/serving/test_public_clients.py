"""Published clients of the Open Inference Protocol work unchanged; skipped where they are not installed."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from images.files import encoded, picture
from inference.tiny import write_tiny_model
from serving.endpoint import Endpoint

pytestmark = pytest.mark.network
FILES = [encoded(picture(40, 30), "JPEG"), encoded(picture(30, 40), "PNG")]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("clients") / "tiny"
    write_tiny_model(folder)
    endpoint = Endpoint(folder)
    yield endpoint
    endpoint.stop()


@pytest.fixture(scope="module")
def rows(endpoint: Endpoint) -> list[dict]:
    return [endpoint.ask("POST", "/v1/classify", content, content_type="image/jpeg")[1]["rows"][0] for content in FILES]


@pytest.mark.parametrize("binary", [True, False])
def test_triton_client(endpoint: Endpoint, rows: list[dict], binary: bool) -> None:
    client = pytest.importorskip("tritonclient.http")
    with client.InferenceServerClient(f"127.0.0.1:{endpoint.port}") as triton:
        assert triton.is_server_live() and triton.is_server_ready() and triton.is_model_ready("tiny")
        assert triton.get_server_metadata()["name"] == "vision-serve"
        described = triton.get_model_metadata("tiny")
        image = client.InferInput("image", [2], described["inputs"][0]["datatype"])
        image.set_data_from_numpy(np.array(FILES, dtype=np.object_), binary_data=True)
        outputs = [client.InferRequestedOutput(name, binary_data=binary) for name in ("label", "probabilities")]
        found = triton.infer("tiny", [image], outputs=outputs, request_id="7", model_version=described["versions"][0])
        labels = found.as_numpy("label").tolist()
        assert [label.decode() if binary else label for label in labels] == [row["label"] for row in rows]
        best = found.as_numpy("probabilities").max(1)
        assert best == pytest.approx([row["probability"] for row in rows], rel=1e-5)
        every = triton.infer("tiny", [image])
        assert every.as_numpy("probability") == pytest.approx([row["probability"] for row in rows], rel=1e-5)
        pixels = client.InferInput("image", [1, 16, 24, 3], "UINT8")
        pixels.set_data_from_numpy(np.full((1, 16, 24, 3), 90, np.uint8), binary_data=binary)
        assert triton.infer("tiny", [pixels]).as_numpy("probabilities").shape == (1, 5)
        with pytest.raises(client.InferenceServerException, match="no model 'other' is served, but tiny"):
            triton.infer("other", [image])


def test_kserve_client(endpoint: Endpoint, rows: list[dict]) -> None:
    kserve = pytest.importorskip("kserve")

    async def ask():
        client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2"))
        url = f"http://127.0.0.1:{endpoint.port}"
        assert await client.is_server_live(url) and await client.is_server_ready(url)
        assert await client.is_model_ready(url, "tiny")
        image = kserve.InferInput("image", [2], "BYTES")
        image.set_data_from_numpy(np.array(FILES, dtype=np.object_), binary_data=True)
        request = kserve.InferRequest(model_name="tiny", infer_inputs=[image])
        answer = await client.infer(url, request, model_name="tiny")
        return {output.name: output.as_numpy() for output in answer.outputs}

    outputs = asyncio.run(ask())
    assert outputs["probability"] == pytest.approx([row["probability"] for row in rows], rel=1e-5)
    assert outputs["probabilities"].shape == (2, 5)
