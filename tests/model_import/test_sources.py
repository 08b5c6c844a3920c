"""The files of a source: the model, and the labels that lie beside it, whatever links lead to it."""

import json

import h5py
import pytest

from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_import.sources import LABEL_NAMES, find_source
from vision_recipes.stores import LocalStore


@pytest.fixture
def model(tmp_path):
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["x"] = 1
    return tmp_path / "model.h5"


def find(folder=None, **given):
    return find_source(
        ImportSettings.from_params({"output_managed_folder": "x", "model_source_folder": "y"} | given), folder
    )


@pytest.mark.parametrize("name", ["model.labels.csv", "model.labels.json", *LABEL_NAMES])
def test_labels_beside_the_model_are_found(model, name):
    model.with_name(name).write_text("labels")
    assert find(model_file=str(model)).labels == f"/{name}"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metadata.json", {"labels": ["A", "B"], "tfjsVersion": "1"}),
        ("config.json", {"model_type": "vit", "id2label": {"0": "A", "1": "B"}}),
    ],
)
def test_files_about_other_things_count_where_they_have_labels(model, name, content):
    model.with_name(name).write_text(json.dumps({"model_type": "vit"}))
    assert find(LocalStore(model.parent)).labels == ""
    model.with_name(name).write_text(json.dumps(content))
    assert find(LocalStore(model.parent)).labels == f"/{name}"
    assert find(LocalStore(model.parent)).model == "/model.h5"


def test_a_link_to_a_model_keeps_its_own_name_and_the_labels_beside_it(model, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    (here / "keras_model.h5").symlink_to(model)
    (here / "labels.txt").write_text("A\nB\n")
    found = find(model_file=str(here / "keras_model.h5"))
    assert (found.labels, found.teachable) == ("/labels.txt", True)
    assert found.read_labels() == b"A\nB\n"
    assert found.copy(found.model, tmp_path).read_bytes() == model.read_bytes()
    (here / "names.txt").symlink_to(here / "labels.txt")
    monkeypatch.chdir(here)
    assert find(model_file="keras_model.h5", labels_file="names.txt").read_labels() == b"A\nB\n"


def test_a_link_that_the_user_did_not_name_is_not_followed_out_of_the_folder(model, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (here / "model.h5").symlink_to(model)
    with pytest.raises(ModelFolderError, match="model.h5 in .* is a link to a place outside"):
        find(model_file=str(here))
    (here / "labels.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ModelFolderError, match="labels.txt in .* is a link to a place outside"):
        find(model_file=str(here / "model.h5")).read_labels()


def test_a_link_to_a_folder_is_that_folder(model, tmp_path):
    (tmp_path / "linked").symlink_to(model.parent, target_is_directory=True)
    assert find(model_file=str(tmp_path / "linked")).model == "/model.h5"


def test_what_is_not_there_is_said_with_what_is(model, tmp_path):
    with pytest.raises(SettingsError, match="there is no file 'gone.h5'"):
        find(model_file="gone.h5")
    with pytest.raises(SettingsError, match="'gone.h5' is not in .* which has model.h5"):
        find(LocalStore(tmp_path), model_file="gone.h5")
    with pytest.raises(SettingsError, match="labels_file: there is no file 'gone.txt'"):
        find(model_file=str(model), labels_file="gone.txt")


def test_a_full_disk_is_not_blamed_on_the_model(model, tmp_path, monkeypatch):
    from vision_recipes.errors import OutputError
    from vision_recipes.model_import import sources

    def full(*_):
        raise OSError(28, "No space left on device", str(tmp_path / "source"))

    monkeypatch.setattr(sources, "copy_stream", full)
    with pytest.raises(OutputError, match="no space left for a copy of model.h5") as caught:
        find(model_file=str(model)).copy("/model.h5", tmp_path)
    assert "source" not in str(caught.value)
