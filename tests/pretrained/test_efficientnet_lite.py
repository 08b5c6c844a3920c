"""EfficientNet-Lite with its published weights: PyTorch's scores, every tensor in its place, or a refusal."""

import numpy as np
import pytest
from model_folder.small import local

from vision_recipes.errors import DownloadError, ModelFolderError
from vision_recipes.model_folder import catalogue, open_model
from vision_recipes.model_folder.checks import draw_pictures
from vision_recipes.model_folder.efficientnet_lite import FACTORS, blocks
from vision_recipes.pretrained import efficientnet_lite_weights, published
from vision_recipes.pretrained.packages import installed_file

ROW = catalogue.find(catalogue.DEFAULT)
SCORES = (
    {641: 0.315303, 629: 0.088320, 747: 0.053606},
    {641: 0.195747, 714: 0.054011, 417: 0.037027},
    {818: 0.101167, 641: 0.081363, 722: 0.057380},
    {902: 0.313679, 419: 0.110296, 686: 0.060217},
)
"""The three highest scores of each drawn picture by efficientnet_lite_pytorch 0.1.0 in PyTorch, in float32 on the CPU.

Another padding or scaling leaves the labels plausible, and moves these numbers.
"""


def test_it_gives_the_scores_of_the_published_network(default_folder):
    check = open_model(local(default_folder)).check
    np.testing.assert_array_equal(check.pictures, draw_pictures(224, 224))
    for scores, expected in zip(check.scores, SCORES, strict=True):
        assert list(scores.argsort()[::-1][:3]) == list(expected)
        np.testing.assert_allclose(scores[list(expected)], list(expected.values()), atol=2e-5)


@pytest.mark.keras
def test_keras_gives_them_too(default_folder):
    from vision_recipes.model_folder.networks import rebuild
    from vision_recipes.preprocessing import normalise

    model = open_model(local(default_folder))
    pixels = normalise(model.check.pictures, model.preprocessing)
    scores = np.asarray(rebuild(model)(pixels, training=False))
    np.testing.assert_allclose(scores, model.check.scores, atol=2e-5)


def test_the_preprocessing_is_the_one_it_was_trained_with(default_folder):
    size = open_model(local(default_folder)).preprocessing
    assert (size.width, size.height, size.channels, size.mean, size.std) == (224, 224, "rgb", (127,) * 3, (128,) * 3)
    assert (size.resize, size.crop_fraction) == ("crop", 0.875)


def test_depth_and_width_grow_but_for_the_ends():
    found = {name: list(blocks(name)) for name in FACTORS}
    assert [len(found[name]) for name in found] == [16, 21, 21]
    assert [block.filters for block in found["EfficientNetLite0"]][-6:] == [112, 192, 192, 192, 192, 320]
    assert [block.filters for block in found["EfficientNetLite2"]][-1] == 352
    assert sum(block.residual for block in found["EfficientNetLite0"]) == 9


@pytest.mark.keras
@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_the_larger_ones_are_as_the_catalogue_says(name, root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "tools"))
    import make_catalogue

    from vision_recipes import strict_json

    row = catalogue.find(name)
    assert strict_json.read(catalogue.Architecture, make_catalogue.lite_row(row.builder), name) == row


@pytest.fixture
def tensors(monkeypatch):
    """The published tensors, for the test to change; the reader of weights gets what is left."""
    found = efficientnet_lite_weights.read_tensors(installed_file(ROW))
    monkeypatch.setattr(efficientnet_lite_weights, "read_tensors", lambda path: found)
    return found


def test_every_tensor_must_be_used(tensors):
    kernel = tensors.pop("_blocks.7._expand_conv.weight")
    with pytest.raises(DownloadError, match=r"no tensor '_blocks.7._expand_conv.weight'"):
        efficientnet_lite_weights.read_layers(ROW.builder, installed_file(ROW))
    tensors["_blocks.7._expand_conv.weight"] = kernel
    tensors["_blocks.7._se_reduce.weight"] = kernel
    with pytest.raises(
        DownloadError, match=r"tensor '_blocks.7._se_reduce.weight' that EfficientNetLite0 does not use"
    ):
        efficientnet_lite_weights.read_layers(ROW.builder, installed_file(ROW))


def test_weights_of_another_size_of_network_are_refused(tensors):
    with pytest.raises(DownloadError, match="no tensor '_blocks.16._expand_conv.weight'"):
        efficientnet_lite_weights.read_layers("EfficientNetLite1", installed_file(ROW))


@pytest.mark.parametrize("shape", [(32, 3, 5, 5), (32, 3, 3)])
def test_another_shape_is_refused_and_nothing_is_written(shape, tensors, tmp_path):
    tensors["_conv_stem.weight"] = np.zeros(shape, np.float32)
    with pytest.raises((DownloadError, ModelFolderError), match="stem") as caught:
        published.save(ROW, installed_file(ROW), local(tmp_path / "m"))
    assert "(5, 5, 3, 32)" in str(caught.value) or "3 dimensions, not 4" in str(caught.value)
    assert local(tmp_path / "m").paths() == []
