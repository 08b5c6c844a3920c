"""Published weights files, as keras.applications reads them: rebuilt here with the same answers, for every family."""

from unittest import mock

import h5py
import numpy as np
import pytest
from model_folder.test_catalogue import SMALLEST

from vision_recipes.model_folder.checks import draw_pictures
from vision_recipes.model_folder.networks import find_feature_layer, list_layers
from vision_recipes.preprocessing import normalise
from vision_recipes.pretrained import published

pytestmark = pytest.mark.keras


def publish(row, path):
    """Return Keras's own network for its ImageNet weights, these being random, and write them as Keras publishes them."""
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    keras.utils.set_random_seed(7)
    with (
        mock.patch("keras.src.utils.file_utils.get_file", lambda *_, **__: "nowhere"),
        mock.patch.object(keras.Model, "load_weights", lambda *_, **__: None),
    ):
        options = {"input_shape": (row.height, row.width, 3)} if row.family == "mobilenet_v3" else {}
        network = getattr(keras.applications, row.builder)(weights="imagenet", **options)
    draw = np.random.default_rng(0)
    for layer in network.layers:
        if type(layer).__name__ == "BatchNormalization":
            size = layer.get_weights()[0].shape
            spread = [
                draw.uniform(0.8, 1.2, size),
                draw.normal(0, 0.1, size),
                draw.normal(0, 0.1, size),
                draw.uniform(0.8, 1.2, size),
            ]
            layer.set_weights(spread[-len(layer.get_weights()) :])
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    return network


OF_KERAS = [row for row in SMALLEST.values() if not row.package]


@pytest.mark.slow
@pytest.mark.parametrize("row", OF_KERAS, ids=lambda row: row.family)
def test_every_family_gives_the_scores_of_keras_from_its_published_file(row, tmp_path):
    original = publish(row, tmp_path / "weights.h5")
    network = published.build(row, tmp_path / "weights.h5")
    pixels = normalise(draw_pictures(row.width, row.height)[:1], row.input)
    expected = np.asarray(original(pixels, training=False))
    np.testing.assert_allclose(np.asarray(network(pixels, training=False)), expected, atol=1e-5)
    found = {layer.name: layer.size for layer in list_layers(network)}
    assert found[row.feature_layer] == row.features
    assert find_feature_layer(network) == row.feature_layer
