"""Saliency maps of all kinds of networks, against what is known of tiny ones."""

from types import SimpleNamespace

import numpy as np
import pytest

from vision_recipes.inference import saliency
from vision_recipes.inference.saliency import HiResCam
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.settings import ComputeSettings

pytestmark = pytest.mark.keras
SIDE = 16


@pytest.fixture(autouse=True)
def _no_folder(monkeypatch):
    monkeypatch.setattr(saliency, "rebuild", lambda model: model.network)


def opened(network, feature_layer="", inner=()):
    head = SimpleNamespace(layers=tuple(inner)) if inner else None
    return SimpleNamespace(
        network=network,
        preprocessing=Preprocessing.named("zero_to_one", SIDE, SIDE),
        config=SimpleNamespace(feature_layer=feature_layer, head=head, files=SimpleNamespace(graph=None)),
    )


def build(kind):
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    pixels = keras.Input((SIDE, SIDE, 3))
    inputs = [pixels]
    if kind == "flat":
        return keras.Model(pixels, layers.Dense(3, activation="softmax")(layers.Flatten()(pixels)))
    maps = layers.Conv2D(6, 3, strides=2, activation="relu", padding="same", name="maps")(pixels)
    if kind == "conv":
        scores = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 1, name="class_maps")(maps))
        return keras.Model(pixels, layers.Softmax()(scores))
    vector = {
        "avg": layers.GlobalAveragePooling2D,
        "max": layers.GlobalMaxPooling2D,
        "flatten": layers.Flatten,
        "sigmoid": layers.GlobalAveragePooling2D,
        "extra": layers.GlobalAveragePooling2D,
        "deep": layers.Flatten,
        "odd": layers.GlobalAveragePooling2D,
    }[kind]()(maps)
    if kind == "extra":
        inputs.append(keras.Input((2,), name="extra"))
        vector = layers.Concatenate()([vector, inputs[1]])
    if kind == "deep":
        vector = layers.Dense(8, activation="relu")(vector)
    if kind == "odd":
        return keras.Model(pixels, layers.Rescaling(0.3)(layers.Dense(3, activation="sigmoid")(vector)))
    scores = layers.Dense(3, activation="sigmoid" if kind == "sigmoid" else "softmax", name="head")(vector)
    return keras.Model(inputs if len(inputs) > 1 else pixels, scores)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)


@pytest.mark.parametrize("kind", ["avg", "max", "flatten", "sigmoid", "extra", "deep", "conv", "flat", "odd"])
def test_every_network_has_a_map_and_keeps_its_probabilities(kind, pictures):
    network = build(kind)
    extra = np.full((5, 2), 0.5, np.float32) if kind == "extra" else None
    given = [pictures / np.float32(255), extra] if kind == "extra" else pictures / np.float32(255)
    scores = np.asarray(network(given, training=False))
    network_with_maps = HiResCam(opened(network), ComputeSettings(use_gpu="false"))
    found = network_with_maps.maps(pictures, None, extra)
    assert np.abs(np.stack([one.probabilities for one in found]) - scores).max() < 1e-5
    assert [one.label for one in found] == scores.argmax(axis=1).tolist()
    for one in found + network_with_maps.maps(pictures, 1, extra):
        assert one.values.shape == ((SIDE, SIDE) if kind == "flat" else (8, 8))
        assert one.values.min() >= 0
        assert one.values.sum() == pytest.approx(1, abs=1e-5) or one.values.max() == 0
    assert any(one.values.max() > 0 for one in found)
    assert {one.label for one in network_with_maps.maps(pictures, 2, extra)} == {2}


def test_where_features_are_averaged_the_map_is_the_class_activation_map(pictures):
    import keras

    network = build("avg")
    maps = np.asarray(keras.Model(network.inputs, network.get_layer("maps").output)(pictures / np.float32(255)))
    kernel = np.asarray(network.get_layer("head").kernel)
    raw = maps.mean(axis=(1, 2)) @ kernel + np.asarray(network.get_layer("head").bias)
    rivals = np.exp(raw[:, 1:]) / np.exp(raw[:, 1:]).sum(axis=1, keepdims=True)
    weights = kernel[:, 0] - rivals @ kernel[:, 1:].T
    expected = np.maximum((maps * weights[:, None, None, :]).sum(axis=-1), 0)
    found = HiResCam(opened(network, "maps"), ComputeSettings(use_gpu="false")).maps(pictures, 0)
    for one, values in zip(found, expected, strict=True):
        assert np.allclose(one.values, values / values.sum(), atol=1e-6)


def on_several_layers(extra=False):
    """A network whose head stands on the mean of its last layer, and mean and maximum of the layer before."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(4)
    pixels = keras.Input((SIDE, SIDE, 3))
    inner = layers.Conv2D(5, 3, activation="relu", padding="same", name="inner")(pixels)
    last = layers.Conv2D(6, 3, strides=4, activation="relu", padding="same", name="last")(inner)
    vectors = [layers.GlobalAveragePooling2D()(last)]
    vectors += [layers.GlobalAveragePooling2D()(inner), layers.GlobalMaxPooling2D()(inner)]
    pooled = layers.Concatenate(name="head_pooling")(vectors)
    inputs = [pixels]
    if extra:
        inputs.append(keras.Input((2,), name="extra"))
        pooled = layers.Concatenate(name="head_columns")([pooled, inputs[1]])
    scores = layers.Dense(3, activation="softmax", name="head_scores")(pooled)
    return keras.Model(inputs if extra else pixels, scores)


@pytest.mark.parametrize("with_columns", [False, True])
def test_a_head_on_several_layers_has_one_map_of_the_finest_size(with_columns, pictures):
    network = on_several_layers(with_columns)
    extra = np.full((5, 2), 0.5, np.float32) if with_columns else None
    given = [pictures / np.float32(255), extra] if with_columns else pictures / np.float32(255)
    scores = np.asarray(network(given, training=False))
    network_with_maps = HiResCam(opened(network, "last", ["inner"]), ComputeSettings(use_gpu="false"))
    assert network_with_maps.layer == "last + inner"
    found = network_with_maps.maps(pictures, None, extra)
    assert np.abs(np.stack([one.probabilities for one in found]) - scores).max() < 1e-5
    assert np.abs(network_with_maps.probabilities(pictures, extra) - scores).max() < 1e-5
    for one in found:
        assert one.values.shape == (SIDE, SIDE)
        assert one.values.min() >= 0
        assert one.values.sum() == pytest.approx(1, abs=1e-5)


def test_of_each_layer_only_the_way_through_the_head_counts(pictures):
    import keras

    network = on_several_layers()
    kernel, bias = (np.asarray(weight) for weight in network.get_layer("head_scores").get_weights())
    layers = [network.get_layer(name).output for name in ("last", "inner")]
    last, inner = (np.asarray(values) for values in keras.Model(network.inputs, layers)(pictures / np.float32(255)))
    vectors = np.concatenate([last.mean(axis=(1, 2)), inner.mean(axis=(1, 2)), inner.max(axis=(1, 2))], axis=1)
    raw = vectors @ kernel + bias
    rivals = np.exp(raw[:, 1:]) / np.exp(raw[:, 1:]).sum(axis=1, keepdims=True)
    weights = kernel[:, 0] - rivals @ kernel[:, 1:].T
    coarse = np.einsum("nhwc,nc->nhw", last, weights[:, :6]) / last[0, :, :, 0].size
    fine = np.einsum("nhwc,nc->nhw", inner, weights[:, 6:11]) / inner[0, :, :, 0].size
    largest = inner == inner.max(axis=(1, 2), keepdims=True)
    shares = largest / largest.sum(axis=(1, 2), keepdims=True)
    fine += np.einsum("nhwc,nc->nhw", inner * shares, weights[:, 11:])
    enlarged = keras.ops.image.resize(coarse[..., None], (SIDE, SIDE))
    total = np.maximum(fine + np.asarray(enlarged)[..., 0] / 16, 0)
    found = HiResCam(opened(network, "last", ["inner"]), ComputeSettings(use_gpu="false")).maps(pictures, 0)
    for one, values in zip(found, total, strict=True):
        assert np.allclose(one.values, values / values.sum(), atol=1e-5)


def test_another_backend_is_told(monkeypatch):
    from vision_recipes.errors import DeviceError

    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(DeviceError, match="KERAS_BACKEND"):
        HiResCam(opened(None), ComputeSettings())
