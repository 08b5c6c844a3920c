"""An endpoint for the API node of DSS: run as the node runs it, with three packages and no more."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from images.files import encoded, picture
from inference.tiny import EXTRA, write_tiny_model
from model_folder.small import local

from vision_recipes.classify import classify
from vision_recipes.dataset.splits import VALID
from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.macro_settings import EndpointSettings
from vision_recipes.model_export import endpoint_folder
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore
from vision_recipes.write_endpoint import write_endpoint

FILES = ["README.txt", "endpoint.py", "requirements.txt", "test_queries.json", "vision_recipes.zip"]
NODE = """
import json, sys

class Refuse:
    allowed = {*sys.stdlib_module_names, "numpy", "PIL", "openvino", "vision_recipes"}
    def find_spec(self, name, path=None, target=None):
        if sys.argv[2] == "refuse" and name.partition(".")[0] not in self.allowed:
            raise ModuleNotFoundError(f"{name} is not in this environment", name=name)

sys.meta_path.insert(0, Refuse())
folder = sys.argv[1]
names = {"folders": [folder], "__name__": "endpoint"}
with open(folder + "/endpoint.py", encoding="utf-8") as stream:
    exec(compile(stream.read(), "endpoint", "exec"), names)
answers = [names["api_py_function"](**query) for query in json.load(sys.stdin)]
foreign = {module.partition(".")[0] for module in sys.modules} & {"tensorflow", "keras", "h5py", "pandas", "scipy"}
print(json.dumps({"answers": answers, "foreign": sorted(foreign), "python": sys.version_info[:2]}))
"""
"""What an API node does: runs the code with `folders`, then calls the function with the attributes of each query."""


def settings(**given):
    return EndpointSettings.from_params({"model_folder": "m", "output_managed_folder": "x"} | given)


def node(folder: Path, queries: list[dict], python: str | Path = sys.executable, *, refuse: bool = True):
    words = [python, "-I", "-c", NODE, folder, "refuse" if refuse else "take"]
    return subprocess.run(words, input=json.dumps(queries), capture_output=True, encoding="utf-8", cwd="/")


def answered(*words, **named) -> list:
    done = node(*words, **named)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["foreign"] == []
    return found["answers"]


def query(content: bytes) -> dict:
    return {"input": base64.b64encode(content).decode()}


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, bytes]:
    """Files of every format and some that are none, by name."""
    kinds = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
    files = {f"/{kind}": encoded(picture(20 + 9 * place, 40), kind) for place, kind in enumerate(kinds)}
    return files | {"/cut": files["/JPEG"][:300], "/empty": b"", "/text": b"hello"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder, and an endpoint beside it."""
    place = tmp_path_factory.mktemp("written")
    model = write_tiny_model(place / "model")
    write_endpoint(settings(max_nb_labels=3), model.store, local(place / "endpoint"), lambda done, total: None)
    return place


@pytest.fixture
def endpoint(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return tmp_path / "endpoint"


def rows_of_the_recipe(tmp_path: Path, pictures: dict[str, bytes]) -> list[dict]:
    for name, content in pictures.items():
        (local(tmp_path / "pictures").root / name[1:]).write_bytes(content)
    chosen = ClassifySettings(max_nb_labels=3)
    return list(classify(LocalStore(tmp_path / "pictures"), LocalStore(tmp_path / "model"), chosen))


def require_same(answers: list[dict], rows: list[dict]) -> None:
    """Fail unless the answers for pictures in the order of their names are the rows of the recipe."""
    for answer, row in zip(answers, rows, strict=True):
        names = ("error", "reason", "label", "probability")
        assert [answer[name] for name in names] == [row[name] for name in names], row["images"]
        assert answer["prediction"] == (json.loads(row["prediction"]) if row["prediction"] else None)


def test_an_api_node_gives_the_answers_of_the_recipe_with_three_packages(endpoint, tmp_path, pictures):
    answers = answered(endpoint, [query(pictures[name]) for name in sorted(pictures)])
    require_same(answers, rows_of_the_recipe(tmp_path, pictures))


def test_the_folder_has_what_the_steps_name_and_no_weights(endpoint):
    files = sorted(path.relative_to(endpoint).as_posix() for path in endpoint.rglob("*") if path.is_file())
    model = [f"model/{name}" for name in ("check.npz", "config.json", "model.bin", "model.xml", "model_labels.csv")]
    assert files == sorted([*FILES, *model])
    steps = (endpoint / "README.txt").read_text("utf-8")
    assert all(name in steps for name in FILES if name != "README.txt")
    (tested,) = answered(endpoint, json.loads((endpoint / "test_queries.json").read_text("utf-8")))
    assert f"must give the label {tested['label']!r}" in steps
    packages = {line.partition(">")[0] for line in (endpoint / "requirements.txt").read_text("utf-8").split()}
    assert packages == {"openvino", "numpy", "pillow"}


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("vision_recipes.zip", "vision_recipes.zip is not the one that this code was made with"),
        ("model/config.json", "not the one that this endpoint was made for"),
        ("model/model.bin", "model.bin in model folder"),
    ],
)
def test_changed_files_are_refused_before_they_are_used(endpoint, file, told):
    path = endpoint / file
    content = path.read_bytes()
    changed = content.replace(b'"squash"', b'"pad"')
    path.write_bytes(changed if changed != content else content[:-1] + bytes([content[-1] ^ 1]))
    done = node(endpoint, [])
    assert done.returncode != 0 and done.stdout == ""
    assert told in done.stderr.splitlines()[-1]


def test_code_that_lies_beside_the_endpoint_is_never_imported(endpoint):
    for name in ("vision_recipes", "numpy"):
        (endpoint / name).mkdir()
        (endpoint / name / "__init__.py").write_text("raise SystemExit('imported from the folder')")
    assert answered(endpoint, [query(encoded(picture(30, 30), "PNG"))])[0]["error"] == 0


def test_columns_are_attributes_of_a_query(tmp_path):
    model = write_tiny_model(tmp_path / "model", extra=True)
    write_endpoint(settings(), model.store, local(tmp_path / "endpoint"), lambda done, total: None)
    asked = json.loads((tmp_path / "endpoint/test_queries.json").read_text("utf-8"))
    assert set(asked[0]) == {"input", *(column.name for column in EXTRA)}
    first, other = answered(tmp_path / "endpoint", [asked[0], asked[0] | {"town": "Oslo"}])
    assert first["error"] == other["error"] == 0 and first["prediction"] != other["prediction"]
    assert '"price": ..., "town": ...' in (tmp_path / "endpoint/endpoint.py").read_text("utf-8")


def test_pictures_that_the_model_keeps_are_the_test_queries(tmp_path):
    model = write_tiny_model(tmp_path / "model")
    webp = [encoded(picture(30 + number, 40), "WEBP") for number in range(4)]
    kept = SimpleNamespace(
        thumbnails=(b"", webp[1], webp[2], webp[3]),
        labels=np.array([0, 0, 2, 1]),
        predicted=np.array([0, 0, 2, 2]),
        rows=lambda side: np.flatnonzero(np.array([VALID, VALID, VALID, VALID]) == side),
    )
    model.__dict__["reference_pictures"] = kept
    assert [one["input"] for one in endpoint_folder.queries(model)] == [query(webp[place])["input"] for place in (1, 2)]
    kept.thumbnails = (b"",) * 4
    (drawn,) = endpoint_folder.queries(model)
    assert base64.b64decode(drawn["input"]).startswith(b"\x89PNG")


def test_nothing_is_written_when_the_endpoint_answers_otherwise(tmp_path, monkeypatch):
    model = write_tiny_model(tmp_path / "model")
    monkeypatch.setattr("vision_recipes.write_endpoint.answers", lambda *_: [{"label": "other"}])
    with pytest.raises(ModelFolderError, match="answers {'label': 'other'} where the model gives"):
        write_endpoint(settings(), model.store, local(tmp_path / "out"), lambda done, total: None)
    monkeypatch.undo()
    monkeypatch.setattr(endpoint_folder, "REQUIREMENTS", "")
    monkeypatch.setattr(endpoint_folder, "endpoint_code", lambda *_: "raise RuntimeError('no')")
    with pytest.raises(ModelFolderError, match="does not start, so nothing is written: RuntimeError: no"):
        write_endpoint(settings(), model.store, local(tmp_path / "out"), lambda done, total: None)
    assert local(tmp_path / "out").paths() == []


def test_missing_choices_and_folders_without_a_model_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="model_folder: choose the folder"):
        EndpointSettings.from_params({"output_managed_folder": "x"})
    with pytest.raises(ModelFolderError, match=r"no config\.json"):
        write_endpoint(settings(), local(tmp_path / "empty"), local(tmp_path / "out"), lambda done, total: None)


def test_a_column_that_is_called_as_the_picture_is_refused(tmp_path):
    model = write_tiny_model(tmp_path / "model", extra=True)
    head = model.config.head
    renamed = replace(head, extra=(replace(head.extra[0], name="input"), *head.extra[1:]))
    model.config = replace(model.config, head=renamed)
    with pytest.raises(ModelFolderError, match="takes a column named 'input', which is what a query calls its picture"):
        endpoint_folder.write_endpoint_folder(model, {}, tmp_path / "endpoint")
    assert not (tmp_path / "endpoint").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pip") is None, reason="needs pip and a package index")
def test_its_code_environment_is_small_and_enough(endpoint, tmp_path, pictures):
    """In an environment that holds only what requirements.txt names, made as DSS makes it."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "-r", endpoint / "requirements.txt"]
    installed = subprocess.run(install, capture_output=True, encoding="utf-8")
    if installed.returncode:
        pytest.skip(f"no package index: {installed.stderr[-200:]}")
    answers = answered(endpoint, [query(pictures[name]) for name in sorted(pictures)], python, refuse=False)
    require_same(answers, rows_of_the_recipe(tmp_path, pictures))
    size = sum(path.lstat().st_size for path in (tmp_path / "env").rglob("*") if path.is_file())
    assert size < 300e6
    assert not list((tmp_path / "env").glob("lib/*/site-packages/tensorflow*"))
