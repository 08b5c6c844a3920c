"""Files with weights alone: the network of the catalogue they belong to is recognised, or the next step is translation."""

import h5py
import numpy as np
import pytest
from model_import import keras2
from model_import.importing import run, save_weights_alone

from vision_recipes.errors import ModelFolderError


def test_weights_only_of_an_unknown_network_say_what_to_do(small, tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        keras2.write_weights(file, keras2.FLAT, keras2.values_of(small, tmp_path))
    with pytest.raises(ModelFolderError, match="weights only, 203 numbers, and no network.*Export the whole model"):
        run(tmp_path, model_file=str(tmp_path / "w.h5"))
    with h5py.File(tmp_path / "w.h5", "a") as file:
        del file["scores"]
    with pytest.raises(ModelFolderError, match="weights of layer 'scores' are missing"):
        run(tmp_path, model_file=str(tmp_path / "w.h5"))


@pytest.mark.keras
@pytest.mark.parametrize("ending", [".h5", ".weights.h5"], ids=["Keras 2", "Keras 3"])
def test_weights_only_of_a_network_of_the_catalogue_are_recognised(tmp_path, ending):
    import keras

    network = keras.applications.MobileNetV2(weights=None, classes=3)
    path = save_weights_alone(network, tmp_path / f"mine{ending}")
    model, facts = run(tmp_path, model_file=str(path), preprocessing="auto")
    pixels = model.check.pictures.astype(np.float32) / 127.5 - 1
    assert model.check.difference(np.asarray(network(pixels, training=False))) < 1e-4
    assert model.config.network.architecture == "MobileNetV2"
    assert model.labels == ("class_0", "class_1", "class_2")
    assert "MobileNetV2" in facts["Notes"]


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("ending", [".h5", ".weights.h5"], ids=["Keras 2", "Keras 3"])
@pytest.mark.parametrize("rescaled", [False, True])
def test_an_efficientnet_that_scales_pictures_twice_keeps_its_scores(tmp_path, monkeypatch, ending, rescaled):
    import keras
    from keras.src.applications import efficientnet

    if rescaled:  # as keras.applications does with weights="imagenet", which cannot be fetched here
        monkeypatch.setattr(efficientnet.file_utils, "get_file", lambda *_args, **_more: "")
        monkeypatch.setattr(keras.Model, "load_weights", lambda *_args, **_more: None)
    keras.utils.set_random_seed(1)
    network = keras.applications.EfficientNetB0(weights="imagenet" if rescaled else None)
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([kernel * 1e6, bias])  # answers that depend on the pictures
    path = save_weights_alone(network, tmp_path / f"mine{ending}")
    model, _facts = run(tmp_path, model_file=str(path), preprocessing="auto")
    answers = np.asarray(network(model.check.pictures.astype(np.float32), training=False))
    assert answers.max() > 0.01
    assert model.check.difference(answers) < 1e-3 * answers.max()
