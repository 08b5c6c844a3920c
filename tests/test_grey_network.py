"""A network that takes grey pictures, from its file to a retrained model: every way computes the same grey."""

import io
import json

import numpy as np
import pytest
from model_folder.small import local
from model_import.importing import run
from PIL import Image

from vision_recipes.classify import classify
from vision_recipes.explain import OptionalInputs, explain
from vision_recipes.export_model import export_model
from vision_recipes.extract import extract
from vision_recipes.macro_settings import ExportSettings
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.networks import rebuild
from vision_recipes.preprocessing import Preprocessing, normalise
from vision_recipes.retrain import retrain
from vision_recipes.settings import ClassifySettings, ExplainSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import ExtractSettings, RetrainSettings

SIDE = 20
pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An imported network like that of an MNIST tutorial, and photos in two shades of grey by folder."""
    import keras

    home = tmp_path_factory.mktemp("grey")
    layers = keras.layers
    keras.utils.set_random_seed(7)
    stack = [layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(), layers.Conv2D(8, 3, activation="relu")]
    stack += [layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax")]
    keras.Sequential([keras.Input((SIDE, SIDE, 1)), *stack]).save(home / "mnist.keras")
    run(home, model_file=str(home / "mnist.keras"), preprocessing="zero_to_one")
    draw = np.random.default_rng(3)
    for label, high in (("dark", 90), ("light", 255)):
        (home / "photos" / label).mkdir(parents=True)
        for number in range(12):
            pixels = draw.integers(high - 80, high, (SIDE, SIDE, 3), dtype=np.uint8, endpoint=True)
            Image.fromarray(pixels).save(home / "photos" / label / f"{number}.png")
    return home


def scores_of(rows, model):
    return np.array([[json.loads(row["prediction"])[label] for label in model.label_keys] for row in rows])


def expected(model, pictures):
    """Return Keras's own answers for the grey that Pillow makes of each file."""
    grey = [np.asarray(Image.open(io.BytesIO(pictures.open(path).read())).convert("L")) for path in pictures.paths()]
    return np.asarray(rebuild(model)(np.stack(grey)[..., None].astype(np.float32) / 255))


def test_grey_is_what_pillow_makes_of_every_colour():
    colours = np.random.default_rng(0).integers(0, 256, (1, 200, 300, 3), dtype=np.uint8)
    colours[0, 0, :8] = np.array(np.meshgrid([0, 255], [0, 255], [0, 255])).reshape(3, 8).T
    grey = normalise(colours, Preprocessing(300, 200, "grey", (0.0,), (1.0,)))
    assert (grey[0, ..., 0] == np.asarray(Image.fromarray(colours[0]).convert("L"))).all()


@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_both_engines_score_as_keras_does(folder, engine):
    model, pictures = open_model(local(folder / "imported")), local(folder / "photos")
    chosen = {"compute": {"engine": engine, "use_gpu": "false", "precision": "float32"}, "max_nb_labels": 10}
    rows = list(classify(pictures, model.store, ClassifySettings.from_params(chosen)))
    assert abs(scores_of(rows, model) - expected(model, pictures)).max() < 1e-5


def test_layers_are_extracted_and_both_exports_score_alike(folder, tmp_path):
    model, pictures = open_model(local(folder / "imported")), local(folder / "photos")
    rows = list(extract(pictures, model.store, ExtractSettings.from_params({"extract_layer_index": -2})))
    assert all(len(row["prediction"]) == 8 for row in rows)
    asked = ExportSettings.from_params({"model_folder": "m", "output_managed_folder": "x"})
    export_model(asked, model.store, local(tmp_path), lambda done, total: None)


@pytest.mark.parametrize("layers", ["last", "n_last"])
def test_it_is_retrained_and_explained(folder, tmp_path, layers):
    model, pictures, output = local(folder / "imported"), local(folder / "photos"), LocalStore(tmp_path / "out")
    chosen = {"label_source": "folder_names", "layer_to_retrain": layers, "layer_to_retrain_n": 4, "nb_epochs": 2}
    augmented = {"data_augmentation": layers == "n_last", "n_augmentation": 1, "compute": {"use_gpu": "false"}}
    retrain(pictures, model, output, RetrainSettings.from_params(chosen | augmented))
    retrained = open_model(output)
    assert retrained.preprocessing.channels == "grey"
    rows = list(classify(pictures, output, ClassifySettings.from_params({"compute": {"use_gpu": "false"}})))
    right = [row["label"] == row["images"].split("/")[1] for row in rows]
    assert np.mean(right) >= (0.9 if layers == "last" else 0.5)
    overlays = OptionalInputs(overlays=LocalStore(tmp_path / "overlays"))
    asked = ExplainSettings.from_params({"compute": {"use_gpu": "false"}})
    assert len(list(explain(pictures, output, asked, overlays))) == len(pictures.paths())
