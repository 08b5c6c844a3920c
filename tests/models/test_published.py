"""Published weights files, as keras.applications reads them: rebuilt here with the same answers, for every family."""

from unittest import mock

import h5py
import numpy as np
import pytest
from models.small import local
from models.test_catalogue import SMALLEST

from vision_recipes.models import open_model, published, save_model
from vision_recipes.models.checks import draw_pictures
from vision_recipes.models.saving import normalised

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


@pytest.mark.slow
@pytest.mark.parametrize("row", SMALLEST.values(), ids=SMALLEST)
def test_every_family_gives_the_answers_of_keras_from_its_published_file(row, tmp_path):
    original = publish(row, tmp_path / "weights.h5")
    network, spec = published.build(row, tmp_path / "weights.h5")
    pixels = normalised(draw_pictures(row.width, row.height)[:2], spec.input)
    wanted = np.asarray(original(pixels, training=False))
    np.testing.assert_allclose(np.asarray(network(pixels, training=False)), wanted, atol=1e-5)
    save_model(local(tmp_path / "model"), network, spec)
    model = open_model(local(tmp_path / "model"))
    assert model.check.difference(np.asarray(network(normalised(model.check.pictures, spec.input)))) < 1e-4
    assert (model.feature_layer.name, model.feature_layer.size) == (row.feature_layer, row.features)
    rebuilt = model.keras()
    for mine, theirs in zip(rebuilt.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
