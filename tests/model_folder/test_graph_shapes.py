"""Shapes computed without Keras are Keras's own, for every kind of layer, and bombs are refused before a framework."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_import.every_layer import network_of_every_layer

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder import graph_shapes, layer_graph, layer_shapes
from vision_recipes.model_folder.layer_graph import LAYERS, Graph, Node
from vision_recipes.model_folder.weights import own_variables

SHAPE = (12, 10, 3)
FORMS: dict[str, list[dict]] = {
    "Conv2D": [
        {"filters": 6, "kernel_size": 3, "strides": [2, 2], "groups": 3},
        {"filters": 4, "kernel_size": [5, 1], "padding": "same", "strides": 3, "use_bias": False},
        {"filters": 2, "kernel_size": 3, "dilation_rate": [2, 3]},
        {"filters": 2, "kernel_size": 4, "dilation_rate": 2, "padding": "same"},
    ],
    "DepthwiseConv2D": [{"kernel_size": [3, 2], "strides": 2}, {"kernel_size": 3, "depth_multiplier": 3}],
    "SeparableConv2D": [{"filters": 5, "kernel_size": 3, "depth_multiplier": 2, "strides": 2, "padding": "same"}],
    "Conv2DTranspose": [
        {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"filters": 4, "kernel_size": 3, "strides": 2},
        {"filters": 4, "kernel_size": [2, 4], "strides": 3, "use_bias": False},
        {"filters": 4, "kernel_size": 4, "strides": 2, "padding": "same", "output_padding": 1},
        {"filters": 4, "kernel_size": 5, "strides": 3, "output_padding": [1, 2]},
        {"filters": 2, "kernel_size": 3, "dilation_rate": 2},
    ],
    "Dense": [{"units": 7}, {"units": 1, "use_bias": False}],
    "BatchNormalization": [{}, {"axis": 1}, {"scale": False}, {"center": False, "scale": False}],
    "LayerNormalization": [{}, {"axis": [1, 2, 3]}, {"axis": [3, 1]}, {"center": False}],
    "GroupNormalization": [{"groups": 3}, {"groups": -1, "scale": False}],
    "Activation": [{"activation": "relu"}],
    "ReLU": [{}],
    "LeakyReLU": [{}],
    "PReLU": [{}, {"shared_axes": [1, 2]}],
    "ELU": [{}],
    "Softmax": [{"axis": -1}],
    "MaxPooling2D": [{}, {"pool_size": [3, 2], "strides": 1}, {"pool_size": 5, "strides": 3, "padding": "same"}],
    "AveragePooling2D": [{"pool_size": 2}, {"pool_size": 3, "padding": "same"}],
    "GlobalAveragePooling2D": [{}, {"keepdims": True}],
    "GlobalMaxPooling2D": [{}, {"keepdims": True}],
    "ZeroPadding2D": [{}, {"padding": 2}, {"padding": [1, 3]}, {"padding": [[1, 2], [0, 4]]}],
    "Cropping2D": [{}, {"cropping": 2}, {"cropping": [1, 3]}, {"cropping": [[1, 2], [0, 4]]}],
    "UpSampling2D": [{}, {"size": [3, 2], "interpolation": "bilinear"}],
    "Resizing": [{"height": 5, "width": 7}, {"height": 5, "width": 30, "crop_to_aspect_ratio": True}],
    "CenterCrop": [{"height": 5, "width": 7}, {"height": 20, "width": 6}],
    "UnitNormalization": [{}],
    "Flatten": [{}],
    "Reshape": [{"target_shape": [360]}, {"target_shape": [-1, 6]}, {"target_shape": [5, 8, 9]}],
    "Permute": [{"dims": [3, 1, 2]}],
    "Dropout": [{"rate": 0.5}],
    "SpatialDropout2D": [{"rate": 0.5}],
    "GaussianNoise": [{"stddev": 0.5}],
    "GaussianDropout": [{"rate": 0.5}],
    "Rescaling": [{"scale": 2.0}, {"scale": [1.0, 2.0, 3.0], "offset": [0.0, 1.0, 2.0]}],
    "Normalization": [{}, {"axis": [1, -1]}, {"axis": None}, {"mean": [1.0, 2.0, 3.0], "variance": [1.0, 1.0, 1.0]}],
}
SEQUENCES = ("GlobalAveragePooling1D", "GlobalMaxPooling1D")
MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")


def compare(graph, shape):
    """Assert that the shapes of outputs and variables are those of Keras, layer by layer."""
    found = graph_shapes.graph_shapes(graph, shape, "the network")
    for layer in layer_graph.build(graph, shape).layers:
        assert found[layer.name].output == tuple(layer.output.shape[1:]), layer.name
        assert list(found[layer.name].variables) == [tuple(item.shape) for item in own_variables(layer)], layer.name


def chain(*layers):
    nodes = [Node("input", "InputLayer")]
    for kind, given_settings in layers:
        nodes.append(Node(f"layer{len(nodes)}", kind, given_settings, (nodes[-1].name,)))
    return Graph(tuple(nodes))


def test_every_kind_has_a_rule_and_is_compared():
    assert set(LAYERS) - {"InputLayer"} == set(layer_shapes.RULES)
    assert {*FORMS, *MERGING, "Concatenate", *SEQUENCES} == set(layer_shapes.RULES)


@pytest.mark.keras
@pytest.mark.parametrize("kind", sorted(set(FORMS) & set(LAYERS)))
def test_shapes_are_those_of_keras(kind):
    for form in FORMS[kind]:
        compare(chain((kind, form)), SHAPE)


@pytest.mark.keras
@pytest.mark.parametrize("kind", sorted(set(SEQUENCES) & set(LAYERS)))
@pytest.mark.parametrize("keepdims", [True, False])
def test_shapes_of_sequences_are_those_of_keras(kind, keepdims):
    compare(chain(("Reshape", {"target_shape": [120, 3]}), (kind, {"keepdims": keepdims})), SHAPE)


@pytest.mark.keras
@pytest.mark.parametrize("shape", [(8, 9, 1), (64, 33, 3)])
def test_merged_shapes_are_those_of_keras(shape):
    nodes = [
        Node("input", "InputLayer"),
        Node("wide", "Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"}, ("input",)),
        Node("pooled", "GlobalAveragePooling2D", {"keepdims": True}, ("wide",)),
        *(Node(kind, kind, {}, ("wide", "pooled")) for kind in MERGING),
        Node("three", "Concatenate", {"axis": 3}, ("wide", "input", "Add")),
        Node("high", "Concatenate", {"axis": 1}, ("wide", "Add")),
        *(Node(f"flat_{name}", "GlobalAveragePooling2D", {}, (name,)) for name in ("three", "high", *MERGING)),
        Node("all", "Concatenate", {}, ("flat_three", "flat_high", *(f"flat_{kind}" for kind in MERGING))),
    ]
    compare(Graph(tuple(nodes)), shape)


@pytest.mark.keras
def test_the_network_of_every_layer_has_kerass_shapes():
    _network, spec = network_of_every_layer()
    compare(spec.graph, spec.input.input_shape)


WINDOWS = st.fixed_dictionaries(
    {
        "kernel_size": st.lists(st.integers(1, 4), min_size=2, max_size=2),
        "padding": st.sampled_from(["same", "valid"]),
    }
    | {"strides": st.integers(1, 3), "filters": st.integers(1, 5), "use_bias": st.booleans()}
)


@pytest.mark.keras
@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(WINDOWS, WINDOWS, st.integers(8, 20), st.integers(8, 20))
def test_windows_of_all_sizes_have_kerass_shapes(first, second, height, width):
    compare(chain(("Conv2D", first), ("Conv2DTranspose", second)), (height, width, 3))


CONVOLUTION = ("Conv2D", {"filters": 8, "kernel_size": 3})


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([("UpSampling2D", {"size": 1_000_000})], "'layer1' .UpSampling2D., which gives values of shape"),
        ([("ZeroPadding2D", {"padding": 1_000_000})], "too large"),
        ([("UpSampling2D", {"size": 40})] * 9, "too large"),
        ([("Flatten", {}), ("Dense", {"units": 10_000_000}), ("Dense", {"units": 10_000_000})], "multiplications"),
        ([("Conv2D", {"filters": 4096, "kernel_size": 7, "padding": "same"})] * 999, "too large"),
        ([("MaxPooling2D", {"pool_size": 1_000_000, "strides": 1, "padding": "same"})], "too large"),
        ([("Conv2D", {"filters": 8, "kernel_size": 70})], r"input of \(64, 64, 3\) is too small"),
        ([("Cropping2D", {"cropping": 32})], "too small"),
        ([("Reshape", {"target_shape": [1000, 1000, 1000]})], "no target_shape"),
        ([("Reshape", {"target_shape": []})], "no|whole"),
        ([("Conv2D", {"filters": 8.5, "kernel_size": 3})], "filters is 8.5, not whole numbers"),
        ([("Conv2D", {"kernel_size": 3})], "filters is None"),
        ([("Conv2D", {"filters": -8, "kernel_size": 3})], "filters is -8"),
        ([("Conv2D", {"filters": 8, "kernel_size": True})], "kernel_size is True"),
        ([("Conv2D", {"filters": 8, "kernel_size": [1, 2, 3]})], "3 values"),
        ([("Conv2D", {"filters": 8, "kernel_size": 3, "padding": "full"})], "'full' is not same or valid"),
        ([("Conv2D", {"filters": 8, "kernel_size": 3, "strides": 0})], "strides is 0"),
        ([("Flatten", {}), CONVOLUTION], "is not .height, width, channels"),
        ([("BatchNormalization", {"axis": 7})], "axis 7 is not one of"),
        ([("BatchNormalization", {"axis": 0})], "axis 0 is not one of"),
        ([("Concatenate", {})], "at least two"),
        ([("Rescaling", {"scale": [1.0, 2.0]})], "scale has 2 values for 3 channels"),
    ],
)
def test_what_cannot_be_computed_is_refused_by_name(layers, message):
    with pytest.raises(ModelFolderError, match=message):
        graph_shapes.graph_shapes(chain(*layers), (64, 64, 3), "graph.json")


def test_ordinary_large_networks_are_within_the_limits():
    block = [("Conv2D", {"filters": 512, "kernel_size": 3, "padding": "same"})] * 8
    graph_shapes.graph_shapes(chain(*block), (128, 128, 3), "the network")


def test_neither_keras_nor_numpy_is_loaded():
    code = (
        "import sys; from vision_recipes.model_folder import graph_shapes; "
        "assert not {'keras', 'tensorflow', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
