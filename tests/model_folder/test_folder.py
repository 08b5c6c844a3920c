"""A model folder from an untrusted source: complete and verified, or refused by name; no framework is imported."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_folder.small import LABELS, change_config, local

from vision_recipes.errors import ModelFolderError, OutputError
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.checks import score_ir
from vision_recipes.model_folder.config import read_config


def test_a_complete_folder_opens(small, tmp_path):
    assert small.labels == LABELS
    assert small.label_keys == ("egg", "crane (1)", "NA", "crane (3)", "007")
    assert (small.preprocessing.width, small.preprocessing.height) == (20, 16)
    assert small.feature_layer.name == "active"
    assert [small.layer(index).name for index in (-1, -2, 1)] == ["scores", "pooled", "convolved"]
    np.testing.assert_allclose(score_ir(small.ir(tmp_path), small.check.pictures), small.check.scores, atol=1e-6)


def test_unknown_layers_are_refused_with_those_there_are(small):
    with pytest.raises(ModelFolderError, match="has no layer -9.*-4 to -1"):
        small.layer(-9)


def test_opening_imports_no_framework(folder):
    code = (
        "import sys; from vision_recipes.model_folder import open_model; from vision_recipes.stores import LocalStore;"
        f"open_model(LocalStore({str(folder)!r})).check;"
        "print([name for name in ('keras', 'tensorflow', 'openvino', 'h5py', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_folder_without_config_says_what_it_holds(tmp_path):
    store = local(tmp_path / "photos")
    store.write("/cat.jpg", b"x")
    with pytest.raises(ModelFolderError, match=r"has no config\.json.*cat\.jpg.*vision-download"):
        open_model(store)


def test_a_folder_of_the_predecessor_plugin_leads_to_import(tmp_path):
    store = local(tmp_path / "old")
    store.write("/config.json", b'{"architecture": "resnet", "trained_on": "imagenet"}')
    with pytest.raises(ModelFolderError, match="predecessor plugin.*vision-import"):
        open_model(store)


def use_everything(folder, workdir):
    model = open_model(local(folder))
    assert model.check
    model.ir(workdir)
    model.weights(workdir)


FILES = ("model_labels.csv", "check.npz", "model.xml", "model.bin", ".weights.h5")


def file_named(folder, ending):
    return next(path for path in folder.iterdir() if path.name.endswith(ending))


@pytest.mark.parametrize("ending", FILES)
def test_a_missing_file_is_named(folder, tmp_path, ending):
    path = file_named(folder, ending)
    path.unlink()
    with pytest.raises(ModelFolderError, match=f"{path.name}.*is missing"):
        use_everything(folder, tmp_path)


@pytest.mark.parametrize("ending", FILES)
def test_a_cut_file_is_named(folder, tmp_path, ending):
    path = file_named(folder, ending)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ModelFolderError, match=f"{path.name}.*bytes"):
        use_everything(folder, tmp_path)


@pytest.mark.parametrize("ending", FILES)
def test_one_flipped_bit_is_found(folder, tmp_path, ending):
    path = file_named(folder, ending)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFolderError, match=f"{path.name}.*SHA-256"):
        use_everything(folder, tmp_path)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("ending", FILES)
def test_links_out_of_the_folder_and_pipes_are_refused(folder, tmp_path, ending):
    path = file_named(folder, ending)
    outside = tmp_path / "outside"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(ModelFolderError, match=f"{path.name}.*cannot be read"):
        use_everything(folder, tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ModelFolderError, match=path.name):
        use_everything(folder, tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_not_blamed_on_the_model(folder, tmp_path):
    (tmp_path / "model.bin").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"no space left for a copy of model\.bin .*TMPDIR"):
        open_model(local(folder)).ir(tmp_path)


def test_a_copy_that_another_job_removes_is_made_again(folder, tmp_path):
    model, work = open_model(local(folder)), tmp_path / "work"
    work.mkdir()
    copy = model.ir(work)
    content = copy.read_bytes()
    shutil.rmtree(work)
    assert model.ir(work).read_bytes() == content


def test_a_file_that_another_job_removes_is_said_to_be_gone(folder, tmp_path):
    model = open_model(local(folder))
    file_named(folder, "model.bin").unlink()
    with pytest.raises(ModelFolderError, match=r"model\.bin .*removed since by another job"):
        model.ir(tmp_path)


def set_file(role, **values):
    return lambda data: data["files"][role].update(values)


def set_in(*path, value):
    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_file("weights", name="../../etc/passwd"), "not a plain file name"),
        (set_file("weights", name="/etc/passwd"), "not a plain file name"),
        (set_file("weights", name="config.json"), "not a plain file name"),
        (set_file("weights", name="model.xml"), "same name"),
        (set_file("weights", sha256="0"), "64 hexadecimal"),
        (set_file("weights", bytes=10**13), "bytes must be between"),
        (set_in("n_classes", value=10**9), "n_classes must be between"),
        (set_in("n_classes", value=4), "not one score for each of 4"),
        (set_in("network", "architecture", value="../x"), "is not a name"),
        (set_in("network", "arguments", value={"weights": 1.0}), "arguments"),
        (set_in("network", "arguments", value={"alpha": 1e9}), "alpha"),
        (set_in("input", "width", value=100_000), "input.width must be between"),
        (set_in("input", "std", value=[1, 0, 1]), "std must be above 0"),
        (set_in("input", "channels", value="abc"), "not one of rgb, bgr, grey"),
        (set_in("input", "resize", value="melt"), "not one of squash"),
        (set_in("layers", value=[]), "layers must be between"),
        (set_in("feature_layer", value="nowhere"), "not among the layers"),
        (set_in("version", value=4), "version 4"),
        (set_in("version", value="3"), "version 3"),
        (set_in("format", value="something"), "something"),
        (set_in("python", value="import os"), "python is not a known key"),
        (set_in("head", value={"features": 6, "pooling": "odd"}), "pooling"),
    ],
)
def test_a_config_with_other_values_is_refused(folder, change, message):
    change_config(folder, change)
    with pytest.raises(ModelFolderError, match=message):
        open_model(local(folder))


def test_labels_that_do_not_fit_are_refused(folder):
    path = folder / "model_labels.csv"
    path.write_text("id,className\n0,only\n")
    with pytest.raises(ModelFolderError, match="model_labels.csv"):
        open_model(local(folder))


def test_the_hash_ignores_names_and_covers_scaling(folder, small):
    change_config(folder, set_in("name", value="other"))
    assert open_model(local(folder)).folder_hash == small.folder_hash
    change_config(folder, set_in("input", "mean", value=[1, 2, 3]))
    assert open_model(local(folder)).folder_hash != small.folder_hash


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_to_config_is_a_sentence(small_original, data):
    content = bytearray((small_original / "config.json").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    try:
        read_config(bytes(content), "folder")
    except ModelFolderError as err:
        assert "folder" in str(err)


def test_python_in_a_model_folder_is_never_imported(folder, tmp_path, monkeypatch):
    for name in ("numpy", "json", "sitecustomize", "openvino", "model"):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    code = (
        "import sys; from vision_recipes.stores import LocalStore; from vision_recipes.model_folder import open_model;"
        "from pathlib import Path; model = open_model(LocalStore(sys.argv[1])); model.ir(Path(sys.argv[2]));"
        "model.weights(Path(sys.argv[2])); assert sys.argv[1] not in sys.path"
    )
    workdir = tmp_path / "work"
    workdir.mkdir()
    done = subprocess.run([sys.executable, "-c", code, folder, workdir], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()
