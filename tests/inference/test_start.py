"""What starts with the engine, and what must not; how far it is from a recipe to the engine."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from pathlib import Path

import openvino
import pytest
from images.files import encoded, picture
from inference.tiny import write_tiny_model

import vision_recipes
from vision_recipes.classify import classify
from vision_recipes.model_folder import Model
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore


@pytest.fixture
def folder(tmp_path: Path) -> LocalStore:
    (tmp_path / "pictures").mkdir()
    for number in range(9):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(encoded(picture(20 + number, 20), "PNG"))
    return LocalStore(tmp_path / "pictures")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    return write_tiny_model(tmp_path / "model")


def test_the_engine_starts_without_the_converter_that_phones_home() -> None:
    code = "import sys, vision_recipes, openvino; print(*sorted(sys.modules)); openvino.Core()"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "openvino" in loaded and "vision_recipes" in loaded
    assert not {"openvino_telemetry", "openvino.tools.ovc.telemetry_utils", "urllib.request"} & set(loaded)


def test_classifying_loads_little_of_the_core(folder: LocalStore, tiny: Model, tmp_path: Path) -> None:
    code = """
import sys
from vision_recipes.classify import classify
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore
pictures, model, cache = map(LocalStore, sys.argv[1:])
settings = ClassifySettings.from_params({"compute": {"engine": "openvino"}})
assert all(row["error"] == 0 for row in classify(pictures, model, settings, cache))
for name, module in sorted(sys.modules.items()):
    if name.split(".")[0] == "vision_recipes" and getattr(module, "__file__", None):
        print(name, module.__file__)
"""
    command = [sys.executable, "-c", code, str(folder.root), tiny.store.name, str(tmp_path / "cache")]
    for most, lines in ((36, 4700), (34, 4250)):  # a model that was verified on this machine is not checked again
        done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ})
        loaded = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        assert len(loaded) <= most
        assert sum(len(Path(file).read_text(encoding="utf-8").splitlines()) for file in loaded.values()) <= lines
        assert not {name.split(".")[1] for name in loaded if "." in name} & {"dataset", "training", "reports"}


def test_few_calls_lie_between_a_recipe_and_the_engine(
    folder: LocalStore, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    depths: list[int] = []
    start, core = openvino.InferRequest.start_async, str(Path(vision_recipes.__file__).parent)

    def counted(self: openvino.InferRequest) -> None:
        depths.append(sum(frame.filename.startswith(core) for frame in traceback.extract_stack()))
        start(self)

    monkeypatch.setattr(openvino.InferRequest, "start_async", counted)
    found = classify(folder, tiny.store, ClassifySettings(compute=ComputeSettings(use_gpu="false")))
    depths.clear()  # the check pictures of the model
    assert len(list(found)) == 9
    assert depths and max(depths) <= 3, "with the border's write, which asks for the rows, at most 4"
