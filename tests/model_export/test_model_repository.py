"""The model repository for OpenVINO Model Server: what the server reads, and the script that asks it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import openvino as ov
import pytest
from inference.tiny import write_tiny_model
from model_folder.small import INPUT, LABELS
from PIL import Image

from vision_recipes.dataset.column_encoding import encode
from vision_recipes.images.decoding import decode
from vision_recipes.model_export import exporting
from vision_recipes.model_export.model_repository import served_name
from vision_recipes.model_export.scripts import script

TEXT, WHOLE = {"type": "string"}, {"type": "integer", "minimum": 0}
PER_TENSOR = {"oneOf": [TEXT, {"type": "object", "additionalProperties": TEXT}]}
SETTINGS_OF_A_MODEL = {
    **dict.fromkeys(("name", "base_path", "target_device", "graph_path", "subconfig"), TEXT),
    **{"nireq": WHOLE, "batch_size": {"type": ["integer", "string"]}, "allow_cache": {"type": "boolean"}},
    **{"shape": PER_TENSOR, "layout": PER_TENSOR, "model_version_policy": {"type": "object", "maxProperties": 1}},
    "plugin_config": {"type": "object", "additionalProperties": {"type": ["string", "boolean", "number"]}},
}
SCHEMA = {
    "type": "object",
    "required": ["model_config_list"],
    "additionalProperties": False,
    "properties": {
        "model_config_list": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["config"],
                "maxProperties": 1,
                "properties": {
                    "config": {
                        "type": "object",
                        "required": ["name"],
                        "properties": SETTINGS_OF_A_MODEL,
                        "additionalProperties": False,
                    }
                },
            },
        }
    },
}
"""What the server's own schema (src/schema.cpp of openvinotoolkit/model_server, August 2026) says of models."""


def exported(model, workdir: Path) -> Path:
    exporting.export(model, exporting.open_network(model, workdir), "model_server", workdir)
    return workdir / "model_server"


@contextmanager
def serving(repository: Path) -> Iterator[str]:
    """Serve a repository as the Open Inference Protocol with its binary data says, on this machine; yield the URL."""
    (entry,) = json.loads((repository / "config.json").read_text("utf-8"))["model_config_list"]
    name, place = entry["config"]["name"], repository / entry["config"]["base_path"] / "1"
    compiled = ov.Core().compile_model(place / "model.xml", entry["config"]["target_device"])
    types = {"UINT8": np.uint8, "FP32": np.float32}

    class Protocol(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if self.path != f"/v2/models/{name}/infer":
                return self.send_error(404)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            start = int(self.headers["Inference-Header-Content-Length"])
            inputs = {}
            for tensor in json.loads(body[:start])["inputs"]:
                end = start + tensor["parameters"]["binary_data_size"]
                values = np.frombuffer(body[start:end], types[tensor["datatype"]])
                inputs[tensor["name"]], start = values.reshape(tensor["shape"]), end
            assert start == len(body)
            (port,) = compiled.outputs
            values = compiled(inputs)[port]
            output = {"name": port.get_any_name(), "shape": values.shape, "datatype": "FP32", "data": values.tolist()}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"model_name": name, "outputs": [output]}).encode())
            return None

        def log_message(self, *_words: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Protocol)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(folder: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script beside a repository, as a person does who has set SERVER."""
    command = [sys.executable, "-I", folder / "classify.py", *words]
    environment = {"SERVER": url, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=folder.parent, capture_output=True, encoding="utf-8", env=environment)


def test_the_server_finds_a_version_and_a_configuration_that_it_accepts(small, tmp_path):
    folder = exported(small, tmp_path)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == ["about.json", "classify.py", "config.json", "small/1/model.bin", "small/1/model.xml"]
    config = json.loads((folder / "config.json").read_text("utf-8"))
    jsonschema.Draft4Validator(SCHEMA).validate(config)
    (entry,) = config["model_config_list"]
    assert (folder / entry["config"]["base_path"]).is_dir(), "a path from the folder of config.json on"


def test_plain_openvino_reads_the_repository_and_gives_the_models_own_scores(small, tmp_path):
    folder = exported(small, tmp_path)
    compiled = ov.Core().compile_model(folder / "small/1/model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    np.testing.assert_allclose(compiled(small.check.pictures)[0], small.check.scores, atol=1e-5)


def test_what_a_client_must_send_is_written_down(small, tmp_path):
    about = json.loads((exported(small, tmp_path) / "about.json").read_text("utf-8"))
    ((given,), (answer,)) = about["inputs"], about["outputs"]
    assert (about["model"], about["labels"], about["resize"]) == ("small", list(LABELS), INPUT.resize)
    assert (given["name"], given["datatype"], given["layout"]) == ("pictures", "UINT8", "NHWC")
    assert given["shape"] == [-1, INPUT.height, INPUT.width, 3] and "RGB" in given["contents"]
    assert (answer["name"], answer["datatype"], answer["shape"]) == ("probabilities", "FP32", [-1, len(LABELS)])


@pytest.mark.network
@pytest.mark.parametrize("extra", [False, True])
def test_the_script_sends_what_the_server_takes(tmp_path, extra):
    model = write_tiny_model(tmp_path / "model", extra=extra)
    folder = exported(model, tmp_path)
    size = model.preprocessing
    noise = np.random.default_rng(5).integers(0, 256, (size.height, size.width, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    cells = {"price": "11.5", "town": "Rome"} if extra else {}
    with serving(folder) as url:
        done = asked(folder, url, "photo.png", *(f"{name}={value}" for name, value in cells.items()))
    assert done.returncode == 0, done.stderr
    inputs = {"pictures": decode((tmp_path / "photo.png").read_bytes(), size)[None]}
    if extra:
        inputs["extra"] = encode(model.extra_columns, cells)[None]
    network = ov.Core().compile_model(folder / f"{served_name(model.name)}/1/model.xml", "CPU")
    expected = network(inputs)["probabilities"][0]
    path, label, probability = done.stdout.strip().split("\t")
    assert (path, label) == ("photo.png", model.labels[expected.argmax()])
    assert float(probability) == pytest.approx(expected.max(), abs=6e-4)


@pytest.mark.network
def test_what_a_server_says_of_a_request_is_shown(small, tmp_path):
    folder = exported(small, tmp_path)
    Image.new("RGB", (30, 30)).save(tmp_path / "photo.png")
    with serving(folder) as url:
        done = asked(folder, f"{url}/elsewhere", "photo.png")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{url}/elsewhere: HTTP Error 404: Not Found. ") and "Traceback" not in done.stderr


def test_a_server_that_does_not_answer_is_named_in_a_sentence(small, tmp_path):
    folder = exported(small, tmp_path)
    Image.new("RGB", (30, 30)).save(tmp_path / "photo.png")
    done = asked(folder, "http://127.0.0.1:1/", "photo.png")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("http://127.0.0.1:1: ") and done.stderr.count("\n") == 1, done.stderr


def test_the_script_is_short_and_mentions_nothing_of_ours():
    text = script("model_server", columns=False)
    compile(text, "classify.py", "exec")
    assert len([line for line in text.splitlines() if line.strip()]) <= 47
    assert "vision_recipes" not in text


@pytest.mark.parametrize(
    ("name", "served"),
    [("egg or not", "egg-or-not"), ("Größe/7", "Gr-e-7"), ("..", "model"), ("日本", "model"), ("a_b.c-1", "a_b.c-1")],
)
def test_a_name_becomes_one_that_fits_addresses_and_folders(name, served):
    assert served_name(name) == served
