"""Whole-model .h5 files: the weights of nested networks are found by their place, those of Keras 2 by its names."""

import json

import h5py
import numpy as np
import pytest
from model_folder.small import INPUT, local, write_small_model
from model_import import keras2
from model_import.answers import ENDINGS, difference, draw_weights, imported
from model_import.importing import run

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
]
PIXELS = np.random.default_rng(0).uniform(-2, 2, (2, INPUT.height, INPUT.width, 3)).astype(np.float32)


def block(name, **settings):
    import keras
    from keras import layers

    frozen = layers.Conv2D(6, 3, padding="same", name="conv", **settings)
    return keras.Sequential([frozen, layers.BatchNormalization(name="bn")], name=name)


def repeated(**settings):
    """Return a network whose two nested blocks have layers of the same names."""
    import keras
    from keras import layers

    backbone = [keras.Input((16, 20, 3)), layers.Conv2D(6, 1, name="conv"), block("b1", **settings), block("b2")]
    inner = keras.Sequential(backbone, name="backbone")
    network = keras.Sequential([keras.Input((16, 20, 3)), inner, layers.Flatten(), layers.Dense(3)])
    draw_weights(network)
    return network


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("trainable", [True, False])
def test_nested_blocks_may_repeat_names(tmp_path, ending, trainable):
    assert difference(repeated(trainable=trainable), tmp_path, ending) < 1e-5


@pytest.mark.parametrize("trainable", [True, False])
def test_names_that_fit_no_layer_are_settled_by_the_order(tmp_path, trainable):
    network = repeated(trainable=trainable)
    network.save(tmp_path / "network.h5")
    with h5py.File(tmp_path / "network.h5", "a") as file:
        group = file["model_weights/backbone"]
        old = [name.decode() if isinstance(name, bytes) else name for name in group.attrs["weight_names"]]
        owners = list(dict.fromkeys(name.rpartition("/")[0] for name in old))
        new = [f"v{owners.index(n.rpartition('/')[0])}/{n.rpartition('/')[2]}_1:0" for n in old]
        for before, after in zip(old, new, strict=True):
            group[after] = group[before][()]
        group.attrs["weight_names"] = [name.encode() for name in new]
    found, _translation = imported(tmp_path / "network.h5")
    np.testing.assert_allclose(np.asarray(found(PIXELS)), np.asarray(network(PIXELS, training=False)), rtol=1e-4)


def test_preprocessing_in_the_layout_of_keras_2_answers_as_it_did(tmp_path):
    small = write_small_model(local(tmp_path / "small"))
    config = keras2.functional()
    layers = config["config"]["layers"]
    spec = [{"class_name": "__ellipsis__"}, {"start": None, "stop": None, "step": -1}]
    steps = [("__operators__.getitem", {"slice_spec": spec}), ("nn.bias_add", {"bias": [-1.0, 2.0, 3.0]})]
    for place, (function, options) in enumerate(steps):
        kind = "TFOpLambda" if place else "SlicingOpLambda"
        node = [[layers[place]["name"], 0, 0, options]]
        entry = {"class_name": kind, "config": {"function": function}, "inbound_nodes": node, "name": f"tf.{function}"}
        layers.insert(place + 1, entry)
    layers[3]["inbound_nodes"] = [[["tf.nn.bias_add", 0, 0, {}]]]
    values = keras2.values_of(small, tmp_path)
    found, _translation = imported(keras2.write_h5(tmp_path / "steps.h5", config, keras2.FLAT, values))
    plain, _translation = imported(keras2.write_h5(tmp_path / "plain.h5", keras2.functional(), keras2.FLAT, values))
    expected = plain(PIXELS[..., ::-1] + np.array([-1, 2, 3], np.float32))
    np.testing.assert_allclose(np.asarray(found(PIXELS)), np.asarray(expected), atol=1e-6)


def test_a_file_without_a_version_is_read_as_that_of_keras_2(tmp_path):
    small = write_small_model(local(tmp_path / "small"))
    config = keras2.functional()
    config["config"]["layers"][2]["config"]["activation"] = "hard_sigmoid"
    path = keras2.write_h5(tmp_path / "old.h5", config, keras2.FLAT, keras2.values_of(small, tmp_path))
    with h5py.File(path, "a") as file:
        del file.attrs["keras_version"]
        assert "batch_input_shape" in json.loads(file.attrs["model_config"])["config"]["layers"][0]["config"]
    assert any(node.settings.get("scale") == 0.2 for node in imported(path)[1].graph.nodes)
    assert run(tmp_path, model_file=str(path))[0].labels
