"""Every layer of Keras that takes a picture and gives one: it is read, passed through, or refused by name."""

import numpy as np
import pytest
from model_import.answers import ENDINGS, difference, imported

from vision_recipes.errors import ModelFolderError

SIZE = {"height": 9, "width": 7}
GIVEN = {
    **{"CenterCrop": SIZE, "Resizing": SIZE, "RandomCrop": SIZE, "MaxNumBoundingBoxes": {"max_number": 3}},
    **{"RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3}, "RandomPosterization": {"factor": 4}},
    "RandomZoom": {"height_factor": 0.3},
}
FACTOR = [
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomContrast",
    "RandomHue",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
]
REFUSED = ("AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "Equalization")


def image_layers():
    """Return the names of all layers of keras.layers that keep pictures pictures, by the module that defines them."""
    from keras import layers

    found = [name for name in dir(layers) if isinstance(getattr(layers, name), type)]
    return [n for n in found if ".preprocessing.image_preprocessing." in getattr(layers, n).__module__]


def network_with(kind):
    import keras
    from keras import layers

    keras.backend.clear_session()
    given = {"factor": 0.3} if kind in FACTOR else GIVEN.get(kind, {})
    layer = getattr(layers, kind)(**given) if kind != "Pipeline" else layers.Pipeline([layers.RandomFlip()])
    pixels = keras.Input((12, 16, 3))
    features = layers.Conv2D(4, 3, activation="relu")(layer(pixels) / 255.0)
    return keras.Model(pixels, layers.Dense(3)(layers.GlobalAveragePooling2D()(features)))


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_each_layer_for_pictures_is_read_passed_through_or_refused_by_name(tmp_path):
    kinds = [*image_layers(), "Pipeline"]
    assert len(kinds) > 25
    for kind in set(kinds) - set(REFUSED):
        network = network_with(kind)
        for ending in ENDINGS:
            assert difference(network, tmp_path, ending) < 1e-5, (kind, ending)


@pytest.mark.keras
@pytest.mark.parametrize("kind", ["AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization"])
def test_a_layer_that_changes_pictures_in_a_way_of_its_own_is_refused_by_name(tmp_path, kind):
    network_with(kind).save(tmp_path / "network.keras")
    with pytest.raises(ModelFolderError, match=f"of the kind '{kind}', which is not among"):
        imported(tmp_path / "network.keras")


@pytest.mark.keras
@pytest.mark.parametrize("interpolation", ["bicubic", "lanczos3"])
def test_resizing_that_engines_compute_differently_is_read_only_where_it_changes_nothing(tmp_path, interpolation):
    import keras
    from keras import layers

    def network(side):
        resized = layers.Resizing(24, 24, interpolation=interpolation)
        return keras.Sequential([keras.Input((side, side, 3)), resized, layers.Flatten(), layers.Dense(2)])

    network(32).save(tmp_path / "network.keras")
    with pytest.raises(ModelFolderError, match=f"resizes pictures in a way that only Keras computes .{interpolation}"):
        imported(tmp_path / "network.keras")
    for side in (24, None):
        same = network(side)
        pictures = np.random.default_rng(0).uniform(0, 255, (2, 24, 24, 3)).astype(np.float32)
        assert difference(same, tmp_path, ".keras", pictures) < 1e-5
        assert imported(tmp_path / "network.keras")[1].size == (24, 24)
