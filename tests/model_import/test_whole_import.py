"""A network with everything that tutorials write into one, from its file to scores, features, exports and a new head."""

import numpy as np
import pytest
from model_folder.small import local
from model_import.answers import ENDINGS, draw_weights
from model_import.importing import run

from vision_recipes.export_model import export_model
from vision_recipes.macro_settings import ExportSettings
from vision_recipes.model_folder import open_model
from vision_recipes.model_folder.checks import score_ir
from vision_recipes.model_folder.heads import About, Head, attach_head, save_with_head
from vision_recipes.model_folder.networks import rebuild


def tutorial():
    """Return a network for pictures of any size: resizing, augmentation, scaling, a nested base used twice, logits."""
    import keras
    from keras import layers

    block = [layers.Conv2D(6, 3, padding="same", name="conv"), layers.BatchNormalization(name="bn")]
    inner = keras.Sequential([keras.Input((20, 24, 6)), *block], name="inner")
    augmentation = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)])
    pixels = keras.Input((None, None, 3))
    resized = augmentation(layers.Resizing(20, 24)(pixels))
    scaled = keras.applications.vgg16.preprocess_input(resized) / 100.0
    features = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same", activation=keras.ops.silu)(scaled))
    features = layers.Resizing(20, 24)(layers.CenterCrop(12, 16)(inner(inner(features) * 0.5)))
    pooled = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(features[..., :4]))
    network = keras.Model(pixels, layers.Dense(3)(pooled))
    draw_weights(network)
    return network


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_tutorials_network_goes_all_the_way(tmp_path, ending):
    network = tutorial()
    network.save(tmp_path / f"mine{ending}")
    model, facts = run(tmp_path, model_file=str(tmp_path / f"mine{ending}"), preprocessing="auto")
    assert (model.preprocessing.height, model.preprocessing.width, model.preprocessing.std) == (20, 24, (1.0,) * 3)
    assert "no input size" in facts["Notes"]
    pictures = model.check.pictures.astype(np.float32)
    logits = np.asarray(network(pictures, training=False), np.float64)
    expected = np.exp(logits - logits.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    assert np.ptp(expected, axis=0).max() > 1e-3
    assert model.check.difference(expected) < 1e-5
    assert model.check.difference(score_ir(model.ir(tmp_path), model.check.pictures)) < 1e-5
    assert model.check.difference(np.asarray(rebuild(model)(pictures))) < 1e-5
    settings = ExportSettings.from_params({"model_folder": "x", "output_managed_folder": "y"})
    export_model(settings, model.store, local(tmp_path / "exported"), lambda done, total: None)
    head = Head(np.ones((model.feature_layer.size, 2), np.float32), np.zeros(2, np.float32), ("a", "b"))
    save_with_head(local(tmp_path / "retrained"), model, head, About("retrained"))
    retrained = open_model(local(tmp_path / "retrained"))
    assert retrained.check.difference(np.asarray(rebuild(retrained)(pictures))) < 1e-5
    assert retrained.check.difference(np.asarray(attach_head(model, head)(pictures))) < 1e-5
