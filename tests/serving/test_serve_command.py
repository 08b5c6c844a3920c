"""The command vision-serve: its options, its start in a plain environment, tokens, overload, and its end."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT
from images.files import encoded, picture
from inference.tiny import write_tiny_model
from serving.endpoint import Endpoint
from starlette.datastructures import Headers

from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.serve import main
from vision_recipes.serving.http.answers import Refused
from vision_recipes.serving.http.gate import Gate
from vision_recipes.serving.http.options import read_options

PNG = encoded(picture(30, 20), "PNG")
LARGE = encoded(picture(1600, 1200), "JPEG")
TOKEN = "correct-horse"
HEAVY = "tensorflow keras pandas h5py scipy onnx onnxruntime requests flask minihost dataiku filelock uvloop"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command") / "tiny"
    write_tiny_model(folder)
    return folder


@pytest.fixture(scope="module")
def documented(tiny: Path, tmp_path_factory: pytest.TempPathFactory):
    endpoint = Endpoint(f"mine={tiny}", environment={"VISION_SERVE_TOKEN": TOKEN})
    yield endpoint
    endpoint.stop()


@pytest.fixture(scope="module")
def pictures_of_the_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    for name in ("cat.jpg", "dog.jpg"):
        (folder / name).write_bytes(encoded(picture(60, 40), "JPEG"))
    return folder


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["nowhere"], "The model folder 'nowhere' does not exist"),
        (["a=.", "b=nowhere"], "The model folder 'nowhere' does not exist"),
        ([".", "tests"], "Several models need names: write NAME=."),
        (["a=.", "a=tests"], "Two models are named 'a'"),
        (["=tests"], "'=tests' lacks its name"),
        (["a="], "'a=' lacks its name or its folder"),
        (["a b=."], "The model name 'a b' is none"),
        (["--host", "0.0.0.0"], "can be reached from other machines: name what they call this one with --allow-host"),
        (["--token-file", "nowhere"], "--token-file nowhere cannot be read"),
        (["--log", "nowhere"], "--log nowhere is not a folder"),
    ],
)
def test_wrong_options_are_one_sentence(
    options: list[str], sentence: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    with pytest.raises((SettingsError, ModelFolderError), match=re.escape(sentence)):
        read_options(options, {})


@pytest.mark.parametrize("token", ["", "short", "with a blank", "zweiundvierzig-ü"])
def test_tokens_that_are_none(token: str) -> None:
    with pytest.raises(SettingsError, match="VISION_SERVE_TOKEN does not hold a token"):
        read_options([], {"VISION_SERVE_TOKEN": token})


def test_a_folder_names_its_model(tiny: Path) -> None:
    assert list(read_options([str(tiny)], {}).folders) == ["tiny"]
    assert read_options([], {}).folders == {}
    assert list(read_options([f"a={tiny}", f"b={tiny}"], {}).folders) == ["a", "b"]


def test_a_taken_port_and_a_damaged_model_are_one_sentence(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main([str(tiny), "--port", str(port)]) == 1
    assert capsys.readouterr().err == (
        f"vision-serve: Cannot listen at 127.0.0.1:{port}: port {port} is taken by another program: choose another "
        "with --port, or any free one with --port 0.\n"
    )
    assert main([str(tmp_path), "--port", "0"]) == 1
    assert "has no config.json, so it is not a model folder" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None; from vision_recipes.serve import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", code, tiny], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "vision-serve: The package 'uvicorn' is missing: install what the endpoint needs with pip install starlette "
        "uvicorn httptools prometheus-client multipart.\n"
    )


@pytest.mark.network
def test_it_starts_and_answers_with_openvino_numpy_and_pillow_alone(tiny: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    for name in HEAVY.split():
        (blocked / name).mkdir(parents=True)
        (blocked / name / "__init__.py").write_text(f"raise SystemExit('{name} was imported')", encoding="utf-8")
    path = os.pathsep.join([str(blocked), *filter(None, [os.environ.get("PYTHONPATH")])])
    endpoint = Endpoint(tiny, environment={"PYTHONPATH": path})
    body = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n\r\n' + PNG + b"\r\n--x--\r\n"
    answers = [
        endpoint.ask("POST", "/v1/classify", PNG)[0],
        endpoint.ask("POST", "/v1/classify", body, content_type="multipart/form-data; boundary=x")[0],
        endpoint.post("/v1/classify", {"images": [base64.b64encode(PNG).decode()]})[0],
        *(endpoint.ask("GET", path)[0] for path in ("/metrics", "/docs", "/openapi.json", "/v2/models/tiny")),
    ]
    assert answers == [200] * 7
    assert endpoint.stop()[0] == 0


@pytest.mark.network
def test_a_token_is_asked_for_everywhere_but_for_health(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="utf-8")
    endpoint = Endpoint(tiny, "--token-file", tmp_path / "token")
    paths = [("GET", path) for path in ("/", "/docs", "/metrics", "/v2", "/nowhere")] + [("POST", "/v1/classify")]
    for method, path in [*paths, ("DELETE", "/v1/classify")]:
        status, found, headers = endpoint.ask(method, path)
        assert (status, found["error"][:21]) == (401, "a token is required: "), path
        assert headers["www-authenticate"].startswith("Bearer ")
    assert endpoint.ask("GET", "/v2/health/live")[0] == endpoint.ask("GET", "/v2/health/ready")[0] == 200
    basic = base64.b64encode(f"{TOKEN}:".encode()).decode()
    for given, status in ((f"Bearer {TOKEN}", 200), (f"Basic {basic}", 200), (f"Bearer {TOKEN}x", 401), (TOKEN, 401)):
        assert endpoint.ask("POST", "/v1/classify", PNG, authorization=given)[0] == status
    assert endpoint.stop()[0] == 0


@pytest.mark.network
def test_what_was_answered_is_logged_without_pictures(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("vision_recipes.serving.embedding_log")
    endpoint = Endpoint(tiny, "--log", tmp_path)
    assert endpoint.ask("POST", "/v1/classify", PNG)[0] == 200
    assert endpoint.stop()[0] == 0
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("embeddings-") and PNG[50:80] not in file.read_bytes()


@pytest.mark.parametrize(
    ("host", "hosts", "passes"),
    [
        ("localhost", (), True),
        ("LocalHost:8000", (), True),
        ("127.0.0.1:8000", (), True),
        ("[::1]:8000", (), True),
        ("localhost.", (), True),
        ("127.0.0.1.nip.io", (), False),
        ("localhost:8000:1", (), False),
        ("vision.example", ("vision.example",), True),
        ("a.vision.example", ("vision.example",), False),
        ("anything", ("*",), True),
        ("", ("*",), True),
        ("", (), False),
    ],
)
def test_hosts(host: str, hosts: tuple[str, ...], passes: bool) -> None:
    gate = Gate((*Gate().hosts, *hosts))
    try:
        gate.check("GET", "/v2", "1.1", Headers({"host": host}))
    except Refused as refused:
        assert refused.status == 403 and not passes
    else:
        assert passes


@pytest.mark.parametrize(
    ("origin", "host", "passes"),
    [
        ("https://vision.example", "vision.example", True),
        ("https://vision.example:443", "vision.example", True),
        ("http://vision.example:8000", "vision.example:8000", True),
        ("http://vision.example:8001", "vision.example:8000", False),
        ("http://evil.example", "vision.example", False),
        ("null", "vision.example", False),
    ],
)
def test_origins(origin: str, host: str, passes: bool) -> None:
    try:
        Gate(("*",)).check("POST", "/v1/classify", "1.1", Headers({"host": host, "origin": origin}))
    except Refused as refused:
        assert refused.status == 403 and not passes
    else:
        assert passes


@pytest.mark.network
def test_overload_is_answered_at_once_and_large_requests_wait_for_room(tiny: Path) -> None:
    endpoint = Endpoint(tiny, "--queue", "2")
    images = {"images": [base64.b64encode(PNG).decode()] * 20}
    assert endpoint.post("/v1/classify", images)[0] == 200
    with ThreadPoolExecutor(10) as clients:
        found = list(clients.map(lambda _one: endpoint.ask("POST", "/v1/classify", LARGE), range(10)))
    assert {status for status, _found, _headers in found} == {200, 503}
    assert all(int(headers["retry-after"]) >= 1 for status, _found, headers in found if status == 503)
    assert endpoint.ask("POST", "/v1/classify", PNG)[0] == 200
    assert endpoint.stop()[0] == 0


@pytest.mark.network
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_loses_no_accepted_request(tiny: Path, number: int) -> None:
    endpoint = Endpoint(tiny)
    body = json.dumps({"images": [base64.b64encode(LARGE).decode()] * 8})
    idle = socket.create_connection(("127.0.0.1", endpoint.port))
    found: list[int] = []

    def ask() -> None:
        found.append(endpoint.ask("POST", "/v1/classify", body, content_type="application/json")[0])

    clients = [threading.Thread(target=ask) for _ in range(3)]
    for client in clients:
        client.start()
    while endpoint.waiting() < 17:  # pictures of all three
        time.sleep(0.002)
    code, errors = endpoint.stop(number)
    for client in clients:
        client.join(30)
    assert (code, found) == (0, [200, 200, 200])
    assert "Traceback" not in errors
    idle.close()


DOCS = (ROOT / "docs" / "vision-serve.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- tested: (\w+) -->\n```\n(.*?)\n```", DOCS, re.DOTALL))


@pytest.mark.network
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_page(documented: Endpoint, pictures_of_the_page: Path, name: str) -> None:
    command = (
        EXAMPLES[name]
        .replace("127.0.0.1:8000", f"127.0.0.1:{documented.port}")
        .replace("curl ", f"curl -s -u {TOKEN}: ")
    )
    if name == "token":
        command = command.replace(f"-u {TOKEN}: ", "")
    environment = {**os.environ, "VISION_SERVE_TOKEN": TOKEN}
    done = subprocess.run(
        ["bash", "-c", command], cwd=pictures_of_the_page, env=environment, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    label = {
        "infer": lambda: found["outputs"][0]["data"][0],
        "node": lambda: found["response"]["label"],
    }.get(name, lambda: found["rows"][0]["label"])()
    assert label in ("egg", "NA", "007", "crane (1)", "crane (3)")
