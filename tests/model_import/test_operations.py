"""Arithmetic, slices and other operations written into networks: they answer as Keras does, or are refused."""

import numpy as np
import pytest
from model_import.answers import ENDINGS, difference, draw_weights, imported

from vision_recipes.errors import ModelFolderError

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
]


def on_features(operation):
    """Return a network that applies a function to features (12, 16, 4), and classifies what comes."""
    import keras
    from keras import layers

    pixels = keras.Input((12, 16, 3))
    features = layers.Conv2D(4, 3, padding="same")(layers.Rescaling(1 / 127.5, offset=-1)(pixels))
    found = operation(features)
    if len(found.shape) == 4:
        found = layers.Flatten()(found)
    network = keras.Model(pixels, layers.Dense(3)(found))
    draw_weights(network)
    return network


def operations():
    import tensorflow as tf
    from keras import layers, ops

    factors = np.array([1.0, 2.0, 0.5, -1.0], np.float32)
    return {
        "channels reversed": lambda x: x[..., ::-1],
        "channels picked": lambda x: ops.stack([x[..., i] for i in (2, 0, 1)], axis=-1),
        "one channel": lambda x: ops.expand_dims(x[..., 1], -1),
        "a rectangle": lambda x: x[:, 2:-3, :10, 1:],
        "sums": lambda x: 1.0 + x + 2 - (3 - x) + x,
        "products": lambda x: 2 * x * factors / np.reshape(factors, (1, 1, 1, 4)) / 4 * x,
        "arrays": lambda x: ops.subtract(x, factors) + tf.constant(factors),
        "bounds": lambda x: ops.clip(x, -0.3, 0.2) + ops.maximum(x, 0.1) - ops.minimum(x, 0.2) + ops.maximum(x, -x),
        "powers": lambda x: ops.square(x) + x**2 + ops.abs(x) - (-x) + ops.power(x, 1),
        "activations": lambda x: ops.relu(x) + ops.relu6(x) + ops.silu(x) + ops.elu(x, 0.7) + ops.leaky_relu(x, 0.3),
        "gelus": lambda x: ops.gelu(x) + ops.gelu(x, approximate=False) + ops.sigmoid(x) + ops.tanh(x),
        "hard ones": lambda x: ops.hard_sigmoid(x) + ops.hard_silu(x) + ops.softplus(x) + ops.selu(x) + ops.exp(x),
        "softmax": lambda x: ops.softmax(x) + ops.softmax(x, axis=1) + ops.normalize(x),
        "casts": lambda x: ops.cast(ops.stop_gradient(ops.cast(x, "float64")), "float32"),
        "axes": lambda x: ops.transpose(x, (0, 2, 1, 3)),
        "reshaping": lambda x: ops.squeeze(ops.expand_dims(ops.reshape(x, (-1, 32, 24)), -1), -1),
        "means": lambda x: ops.mean(x, axis=(1, 2)) + ops.squeeze(ops.max(x, axis=[1, 2], keepdims=True), (1, 2)),
        "a mean of channels": lambda x: x * ops.mean(x, axis=-1, keepdims=True),
        "a mean of rows": lambda x: ops.mean(ops.reshape(x, (-1, 192, 4)), axis=1),
        "joining": lambda x: ops.concatenate([x, x * 2], axis=-1),
        "padding": lambda x: ops.pad(x, [[0, 0], [1, 0], [0, 2], [0, 0]]),
        "resizing": lambda x: ops.image.resize(x, (6, 9)),
        "repeating": lambda x: ops.repeat(x, 2, axis=-1),
        "a layer twice": (lambda twice: lambda x: twice(twice(x)))(layers.Conv2D(4, 3, padding="same")),
        "a layer as activation": lambda x: layers.Dense(4, activation=layers.LeakyReLU(negative_slope=0.1))(x),
        "functions as activations": lambda x: layers.Dense(4, activation=tf.nn.relu6)(
            layers.Dense(4, activation=tf.nn.silu)(layers.Activation(tf.nn.gelu)(x))
        ),
    }


@pytest.mark.slow
def test_operations_answer_as_keras_does(tmp_path):
    for name, operation in operations().items():
        network = on_features(operation)
        for ending in ENDINGS:
            assert difference(network, tmp_path, ending) < 1e-5, (name, ending)


@pytest.mark.parametrize(
    "operation",
    ["ops.cast(x, 'int32')", "x / x", "1 / x", "x[:, ::2]", "x[:, 0]", "ops.sort(x)", "x ** 3", "ops.mean(x, axis=1)"],
)
def test_operations_that_no_layer_does_are_refused(tmp_path, operation):
    import keras

    on_features(lambda x: eval(operation, {"ops": keras.ops, "x": x})).save(tmp_path / "network.keras")
    with pytest.raises(ModelFolderError, match="it (computes with|casts to)"):
        imported(tmp_path / "network.keras")


@pytest.mark.parametrize("family", ["vgg16", "densenet", "mobilenet", "efficientnet", "convnext"])
def test_a_networks_own_preprocessing_is_read(tmp_path, family):
    import keras
    from keras import layers

    pixels = keras.Input((None, None, 3))
    scaled = getattr(keras.applications, family).preprocess_input(layers.RandomFlip()(layers.Resizing(20, 24)(pixels)))
    network = keras.Model(pixels, layers.Dense(3)(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(scaled))))
    draw_weights(network)
    for ending in ENDINGS:
        network.save(tmp_path / f"network{ending}")
        found, translation = imported(tmp_path / f"network{ending}")
        pictures = np.random.default_rng(0).uniform(0, 255, (2, 20, 24, 3)).astype(np.float32)
        np.testing.assert_allclose(
            np.asarray(found(pictures)), np.asarray(network(pictures, training=False)), rtol=1e-5, atol=1e-4
        )
        assert translation.size == (20, 24)
        assert not translation.sized
        assert translation.scales_pixels == (family not in ("efficientnet", "convnext"))


def test_layers_of_keras_applications_are_read(tmp_path):
    from keras.src.applications.convnext import LayerScale
    from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

    network = on_features(lambda x: CustomScaleLayer(0.3)([x, LayerScale(0.1, 4)(x)]))
    for ending in ENDINGS:
        assert difference(network, tmp_path, ending) < 1e-5


def test_grey_pictures_without_a_channel_are_grey(tmp_path):
    import keras
    from keras import layers

    network = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), layers.Dense(4)])
    for ending in ENDINGS:
        assert difference(network, tmp_path, ending) < 1e-5
    assert imported(tmp_path / "network.keras")[1].channels == 1


def test_half_precision_is_read_and_quantised_weights_are_refused(tmp_path):
    import keras
    from keras import layers

    pixels = keras.Input((16, 16, 3))
    features = layers.GlobalAveragePooling2D(dtype="mixed_float16")(layers.Conv2D(4, 3, dtype="mixed_float16")(pixels))
    network = keras.Model(pixels, layers.Dense(3, dtype="float32")(features))
    for ending in ENDINGS:
        assert difference(network, tmp_path, ending) < 1e-3
    network = keras.Model(pixels, layers.Dense(3)(layers.Flatten()(pixels)))
    network.quantize("int8")
    network.save(tmp_path / "network.keras")
    with pytest.raises(ModelFolderError, match="layer 'dense_.*' is quantised .int8.*before it is quantised"):
        imported(tmp_path / "network.keras")
