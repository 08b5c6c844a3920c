"""Export of a model for other programs."""

import pytest
from model_folder.small import local, write_small_model

from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.export_model import export_model
from vision_recipes.macro_settings import ExportSettings
from vision_recipes.model_folder import open_model

FILES = {
    "onnx": ["/onnx/about.json", "/onnx/classify.py", "/onnx/model.onnx"],
    "openvino": ["/openvino/about.json", "/openvino/classify.py", "/openvino/model.bin", "/openvino/model.xml"],
    "model_server": [
        f"/model_server/{name}"
        for name in ("about.json", "classify.py", "config.json", "small/1/model.bin", "small/1/model.xml")
    ],
}


def settings(**given):
    return ExportSettings.from_params({"model_folder": "m", "output_managed_folder": "x"} | given)


def quiet(done, total):
    assert 0 <= done <= total


@pytest.fixture
def model(tmp_path):
    return write_small_model(local(tmp_path / "model"))


@pytest.mark.parametrize(("chosen", "files"), [*FILES.items(), ("both", FILES["onnx"] + FILES["openvino"])])
def test_the_chosen_formats_are_written(model, tmp_path, chosen, files):
    calls = []
    facts = export_model(
        settings(export_format=chosen), model.store, local(tmp_path / "out"), lambda *now: calls.append(now)
    )
    assert local(tmp_path / "out").paths() == files
    assert facts["Model"] == "small"
    assert calls[-1] == (1, 1)


def test_a_model_exported_into_its_own_folder_stays_a_model(model):
    export_model(settings(), model.store, model.store, quiet)
    assert open_model(model.store).folder_hash == model.folder_hash


def test_nothing_is_written_when_one_format_gives_other_scores(model, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "vision_recipes.model_export.exporting._run_openvino", lambda path, inputs: model.check.scores + 0.1
    )
    with pytest.raises(ModelFolderError, match="openvino form"):
        export_model(settings(), model.store, local(tmp_path / "out"), quiet)
    assert local(tmp_path / "out").paths() == []


def test_a_folder_without_a_model_and_missing_choices_are_refused(tmp_path):
    with pytest.raises(ModelFolderError, match=r"no config\.json"):
        export_model(settings(), local(tmp_path / "empty"), local(tmp_path / "out"), quiet)
    with pytest.raises(SettingsError, match="model_folder: choose the folder"):
        ExportSettings.from_params({"output_managed_folder": "x"})
    with pytest.raises(SettingsError, match="output_managed_folder: choose a folder"):
        ExportSettings.from_params({"model_folder": "m"})
