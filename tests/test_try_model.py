"""The questions of the page: the answers are those of vision-classify, and what cannot be done is said in words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from images.files import encoded, picture
from inference.tiny import LABELS, write_tiny_model

from vision_recipes.classify import classify
from vision_recipes.errors import LabelsError, ModelFolderError, PictureFolderError, SettingsError
from vision_recipes.pictures import REASONS
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.try_model import LARGEST, TryModel
from vision_recipes.webapp_settings import TryModelSettings

JPEG = encoded(picture(60, 40), "JPEG")
SETTINGS = TryModelSettings()


@pytest.fixture
def model(tmp_path: Path) -> LocalStore:
    write_tiny_model(tmp_path / "model")
    return LocalStore(tmp_path / "model")


def test_answers_are_those_of_the_recipe(model: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for name, content in {"a.jpg": JPEG, "b.jpg": b"hello", "c.jpg": b"", "d.jpg": JPEG[:200]}.items():
        (tmp_path / "pictures" / name).write_bytes(content)
    ask = TryModel(model, SETTINGS).questions
    pictures = LocalStore(tmp_path / "pictures")
    for row in classify(pictures, model, ClassifySettings(compute=ComputeSettings(engine="openvino"))):
        answer = ask["classify"]((tmp_path / "pictures" / row["images"][1:]).read_bytes(), {})
        found = {one["label"]: one["probability"] for one in answer["labels"]}
        assert found == json.loads(row["prediction"] or "{}")
        assert answer["error"] == (REASONS[row["reason"]] if row["reason"] else "")
    assert ask["classify"](b"\xff\xd8\xff" + bytes(LARGEST), {})["error"] == REASONS["too_large"]
    facts = ask["facts"](b"", {})
    assert (facts["labels"], facts["columns"], facts["feedback"]) == (
        ["egg", "crane (1)", "NA", "crane (3)", "007"],
        [],
        None,
    )
    json.dumps(facts)


def test_columns_beside_the_picture(tmp_path: Path) -> None:
    ask = TryModel(write_tiny_model(tmp_path / "model", extra=True).store, SETTINGS).questions
    assert ask["facts"](b"", {})["columns"] == [
        {"name": "price", "kind": "number", "categories": []},
        {"name": "town", "kind": "category", "categories": ["Rome", "Oslo"]},
    ]

    def answer(**cells: str):
        return ask["classify"](JPEG, {"columns": json.dumps(cells)})

    assert answer()["labels"] == answer(price="", town="n/a")["labels"] == answer(price="10")["labels"]
    assert answer(town="Rome")["labels"] != answer()["labels"]
    assert [
        answer(**cells)["ignored"] for cells in ({"price": "12,5"}, {"town": "Paris"}, {"price": "1", "town": ""})
    ] == [
        *(["price"], ["town"], []),
    ]
    for wrong in ("[1]", '{"price": 1}', "{", json.dumps({"town": "x" * 2000})):
        with pytest.raises(SettingsError, match="columns"):
            ask["classify"](JPEG, {"columns": wrong})


def test_a_model_that_was_replaced_answers_next(model: LocalStore, tmp_path: Path) -> None:
    ask = TryModel(model, SETTINGS).questions
    first = ask["classify"](JPEG, {})
    write_tiny_model(tmp_path / "other", seed=1)
    shutil.copytree(tmp_path / "other", model.root, dirs_exist_ok=True)
    second = ask["classify"](JPEG, {})
    assert second["version"] != first["version"] and second["labels"] != first["labels"]
    (model.root / "config.json").unlink()
    with pytest.raises(ModelFolderError, match=r"has no config\.json"):
        ask["classify"](JPEG, {})
    shutil.copy(tmp_path / "other" / "config.json", model.root)
    assert ask["classify"](JPEG, {}) == second


def test_only_pictures_that_can_be_read_are_kept(model: LocalStore, tmp_path: Path) -> None:
    folder = LocalStore(tmp_path / "feedback")
    ask = TryModel(model, SETTINGS, folder).questions
    assert ask["correct"](JPEG, {"label": "Fresh Egg"})["feedback"]["counts"] == [{"label": "Fresh Egg", "count": 1}]
    assert ask["correct"](JPEG, {"label": "fresh egg"})["label"] == "Fresh Egg"
    for content, label, error in ((b"hello", "egg", PictureFolderError), (JPEG, " ", LabelsError)):
        with pytest.raises(error):
            ask["correct"](content, {"label": label})
    assert [path.split("/")[1] for path in folder.paths()] == ["Fresh Egg"]
    with pytest.raises(SettingsError, match="nothing is kept"):
        TryModel(model, SETTINGS).questions["correct"](JPEG, {"label": LABELS[0]})


def test_what_cannot_be_explained_is_said(model: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="switched off"):
        TryModel(model, TryModelSettings(saliency_maps=False)).questions["saliency"](JPEG, {})
    monkeypatch.setattr("vision_recipes.model_folder.config.ModelConfig.openvino_only", True)
    with pytest.raises(ModelFolderError, match="came as an ONNX file"):
        TryModel(model, SETTINGS).questions["saliency"](JPEG, {})
