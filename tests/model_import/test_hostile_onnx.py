"""Every hostile or unusual ONNX file is refused by its name, with the reason and a next step, within bounds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from model_folder.small import local
from model_import.hostile_onnx import CASES, HUGE
from model_import.onnx_files import convnext

from vision_recipes.errors import VisionError
from vision_recipes.import_model import import_model
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_import import onnx_models
from vision_recipes.model_import.onnx_descriptions import Description
from vision_recipes.model_import.onnx_network import OnnxRequest, convert

NEXT_STEPS = ("xport", "Copy", "Save", "Inline", "Simplify", "Choose", "Set ", "Give")
BOMBS = ("constant", "range", "enlarged", "borders", "memory")
PARAMS = {"preprocessing": "torch", "output_kind": "scores", "output_managed_folder": "x"}


def write(name: str, path: Path) -> str:
    """Write the file of a case and return the words of its refusal."""
    change, words = CASES[name]
    model = convnext()
    changed = change(model)
    path.write_bytes(changed if isinstance(changed, bytes) else model.SerializeToString())
    return words


def test_there_are_many() -> None:
    assert len(CASES) >= 40 and HUGE.prod() == 1 << 36


@pytest.mark.parametrize("name", [name for name in CASES if not name.endswith(BOMBS) and "memory" not in name])
def test_it_is_refused_by_name(name: str, tmp_path: Path) -> None:
    words = write(name, tmp_path / "network.onnx")
    settings = ImportSettings.from_params({"model_file": "network.onnx"} | PARAMS)
    where, target = "network.onnx in 'folder'", tmp_path / "model.xml"
    request = OnnxRequest(str(tmp_path / "network.onnx"), where, settings, Description(), False, str(target))
    with pytest.raises(VisionError, match=words) as caught:
        convert(request)
    assert where in str(caught.value) or "preprocessing: input." in str(caught.value)
    assert any(step in str(caught.value) for step in NEXT_STEPS)


WHOLE = [name for name in CASES if name.endswith(BOMBS)] + ["cut off", "external data"]


@pytest.mark.parametrize("name", WHOLE)
def test_it_is_refused_in_a_process_with_limits(name: str, tmp_path: Path) -> None:
    words = write(name, tmp_path / "network.onnx")
    settings = ImportSettings.from_params({"model_file": str(tmp_path / "network.onnx")} | PARAMS)
    (tmp_path / "made").mkdir()
    with pytest.raises(VisionError, match=words) as caught:
        import_model(settings, local(tmp_path / "made"), None, None, lambda *_: None)
    assert "network.onnx in" in str(caught.value) and any(step in str(caught.value) for step in NEXT_STEPS)
    assert list((tmp_path / "made").iterdir()) == []


IMPORTS = """
import resource, sys
from vision_recipes.errors import VisionError
from vision_recipes.import_model import import_model
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.stores import LocalStore
for file in sys.argv[1:]:
    settings = {"model_file": file, "preprocessing": "torch", "output_kind": "scores", "output_managed_folder": "x"}
    try:
        import_model(ImportSettings.from_params(settings), LocalStore("made"), None, None, lambda *_: None)
    except VisionError:
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_no_process_of_a_refused_import_takes_more_than_a_gigabyte(tmp_path: Path) -> None:
    for number, name in enumerate(WHOLE):
        write(name, tmp_path / f"{number}.onnx")
    files = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run([sys.executable, "-c", IMPORTS, *files], cwd=tmp_path, capture_output=True, check=True)
    peaks = [int(line) for line in done.stdout.split()]
    assert len(peaks) == len(WHOLE)
    assert max(peaks) < 1 << 20  # KiB


def test_a_process_that_takes_too_long_or_too_much_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("two inputs", tmp_path / "network.onnx")
    settings = ImportSettings.from_params({"model_file": str(tmp_path / "network.onnx")} | PARAMS)
    monkeypatch.setattr(onnx_models, "TIME_LIMIT", 0.01)
    with pytest.raises(VisionError, match="not converted after"):
        import_model(settings, local(tmp_path), None, None, lambda *_: None)


def test_files_that_are_too_large_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("loop", tmp_path / "network.onnx")
    settings = ImportSettings.from_params({"model_file": str(tmp_path / "network.onnx")} | PARAMS)
    monkeypatch.setattr(onnx_models, "MAX_BYTES", 100)
    with pytest.raises(VisionError, match="larger than 100 bytes"):
        import_model(settings, local(tmp_path), None, None, lambda *_: None)
