"""Models whose layers Keras did not number from 0, since others were built before in the same process."""

import numpy as np
import pytest
from model_import.importing import run

from vision_recipes.model_folder.networks import rebuild
from vision_recipes.model_import.keras_configs import translate

SIDE = 24


def build(*, named: bool = False):
    """Return a network with several layers of a kind and, if `named`, one that bears another kind's usual name."""
    import keras
    from keras import layers

    pixels = keras.Input((SIDE, SIDE, 3))
    first = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255.0)(pixels))
    second = layers.BatchNormalization(name="dense" if named else None)(layers.Conv2D(4, 3, padding="same")(first))
    pooled = layers.GlobalAveragePooling2D()(layers.Add()([first, second]))
    scores = layers.Dense(3, activation="softmax")(layers.Dense(5, activation="relu")(pooled))
    network = keras.Model(pixels, scores)
    draw = np.random.default_rng(5)
    network.set_weights([draw.uniform(0.05, 1, weight.shape) for weight in network.get_weights()])
    return network


@pytest.mark.keras
@pytest.mark.parametrize("ending", [".keras", pytest.param(".h5", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("before", "named"),
    [
        pytest.param(1, False, id="second model"),
        pytest.param(2, True, id="third, names taken", marks=pytest.mark.slow),
    ],
)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_model_built_after_others_scores_as_it_did(tmp_path, ending, before, named):
    import keras

    keras.backend.clear_session()
    for _ in range(before):
        build()
    network = build(named=named)
    assert f"dense_{2 * before}" in [layer.name for layer in network.layers]
    network.save(tmp_path / f"mine{ending}")
    model, _facts = run(tmp_path, model_file=str(tmp_path / f"mine{ending}"), preprocessing="auto")
    answers = np.asarray(network(model.check.pictures.astype(np.float32), training=False))
    assert model.check.difference(answers) < 1e-5
    assert model.check.difference(np.asarray(rebuild(model)(model.check.pictures.astype(np.float32)))) < 1e-5


def test_numbered_names_are_renumbered_and_others_stay():
    config = {
        "class_name": "Sequential",
        "config": {
            "layers": [
                {"class_name": "InputLayer", "config": {"batch_shape": [None, 32, 32, 3], "name": "input_layer_7"}},
                *(
                    {"class_name": kind, "config": {"name": name} | settings}
                    for kind, name, settings in (
                        ("Conv2D", "conv2d_9", {"filters": 2, "kernel_size": 3}),
                        ("Conv2D", "conv2d_12", {"filters": 2, "kernel_size": 3}),
                        ("Flatten", "dense", {}),
                        ("Dense", "dense_4", {"units": 5}),
                        ("Dense", "classes_3", {"units": 3}),
                    )
                ),
            ]
        },
    }
    translation = translate(config, "a file")
    names = [node.name for node in translation.graph.nodes]
    assert names == ["input", "conv2d", "conv2d_1", "dense.2", "dense", "classes_3"]
    assert translation.leaves["conv2d_1"] == ("conv2d_12",)
    assert translation.leaves["dense"] == ("dense_4",)
    assert translation.leaves["dense.2"] == ("dense",)
