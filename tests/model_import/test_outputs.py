"""Networks with several outputs, of which one gives the scores, and with several inputs."""

import numpy as np
import pytest
from model_import.answers import draw_weights, imported

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_import import output_layer

pytestmark = [
    pytest.mark.keras,
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
]
PICTURES = np.random.default_rng(0).uniform(0, 1, (2, 16, 16, 3)).astype(np.float32)


def two_headed(outputs=None):
    import keras
    from keras import layers

    pixels = keras.Input((16, 16, 3))
    features = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(pixels))
    species = layers.Dense(5, activation="softmax", name="species")(features)
    sex = layers.Dense(1, activation="sigmoid", name="sex")(features)
    network = keras.Model(pixels, outputs(species, sex) if outputs else [species, sex])
    draw_weights(network)
    return network


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("dictionary", [False, True])
def test_an_output_is_chosen_by_name_or_number(tmp_path, ending, dictionary):
    network = two_headed((lambda species, sex: {"a kind": species, "b": sex}) if dictionary else None)
    network.save(tmp_path / f"two{ending}")
    answers = network(PICTURES)
    species, sex = answers.values() if dictionary else answers
    names = ("a kind", "b") if dictionary else ("species", "sex")
    for number, (name, expected) in enumerate(zip(names, (species, sex), strict=True)):
        for output in (name, str(number)):
            found, _translation = imported(tmp_path / f"two{ending}", output)
            np.testing.assert_allclose(np.asarray(found(PICTURES)), np.asarray(expected), atol=1e-6)


@pytest.mark.parametrize("output", ["", "sea", "2", "-1"])
def test_several_outputs_without_a_choice_are_listed(tmp_path, output):
    two_headed().save(tmp_path / "two.keras")
    with pytest.raises(ModelFolderError, match=r"0 'species' \(5 values\), 1 'sex' \(1 values\)") as caught:
        imported(tmp_path / "two.keras", output)
    assert "model_output" in str(caught.value)


def test_several_inputs_are_refused_by_name(tmp_path):
    import keras
    from keras import layers

    pixels, columns = keras.Input((16, 16, 3), name="picture"), keras.Input((4,), name="columns")
    joined = layers.Concatenate()([layers.GlobalAveragePooling2D()(pixels), columns])
    keras.Model([pixels, columns], layers.Dense(2)(joined)).save(tmp_path / "two.keras")
    with pytest.raises(ModelFolderError, match="it has 2 inputs .'picture', 'columns'., where one"):
        imported(tmp_path / "two.keras")


def test_a_nested_network_gives_one_of_its_outputs(tmp_path):
    import keras
    from keras import layers

    pixels = keras.Input((16, 16, 3))
    inner = two_headed()
    _species, sex = inner(pixels)
    network = keras.Model(pixels, layers.Dense(3)(sex))
    network.save(tmp_path / "nested.keras")
    found, _translation = imported(tmp_path / "nested.keras")
    np.testing.assert_allclose(np.asarray(found(PICTURES)), np.asarray(network(PICTURES)), atol=1e-6)


def endings():
    import keras
    import tensorflow
    from keras import layers, ops

    return {
        "an activation": lambda x: layers.Dense(3, activation="softmax")(x),
        "a function of TensorFlow": lambda x: layers.Dense(3, activation=tensorflow.nn.softmax)(x),
        "a layer as activation": lambda x: layers.Dense(3, activation=layers.Softmax())(x),
        "an activation's layer": lambda x: layers.Activation("softmax", dtype="float32")(layers.Dense(3)(x)),
        "a softmax's layer": lambda x: layers.Softmax()(layers.Dense(3)(x)),
        "an operation": lambda x: ops.softmax(layers.Dense(3)(x)),
        "a cast operation": lambda x: ops.cast(keras.activations.softmax(layers.Dense(3)(x)), "float32"),
        "an identity": lambda x: layers.Identity()(ops.softmax(layers.Dense(3)(x), axis=-1)),
    }


def test_probabilities_are_known_as_such_however_they_are_spelt(tmp_path):
    import keras
    from keras import layers

    for spelling, end in endings().items():
        pixels = keras.Input((16, 16, 3))
        network = keras.Model(pixels, end(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(pixels))))
        for ending in (".keras", ".h5"):
            network.save(tmp_path / f"ends{ending}")
            found, translation = imported(tmp_path / f"ends{ending}")
            assert output_layer.complete(translation.graph, 3)[1] == "", (spelling, ending)
            np.testing.assert_allclose(np.asarray(found(PICTURES)), np.asarray(network(PICTURES)), atol=1e-6)
