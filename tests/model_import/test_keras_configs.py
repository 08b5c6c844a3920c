"""Arithmetic in Keras networks, of both generations, read as layers."""

import pytest
from model_import import keras2

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_import.keras_configs import translate

TENSOR = {"class_name": "__keras_tensor__", "config": {"shape": [None, 16, 20, 3], "keras_history": ["input", 0, 0]}}


def with_operation(layer):
    config = keras2.functional()
    config["config"]["layers"].insert(1, layer | {"name": "operation"})
    config["config"]["layers"][2]["inbound_nodes"] = [[["operation", 0, 0, {}]]]
    return config


def new(kind, *arguments):
    node = {"args": list(arguments), "kwargs": {}}
    module = "keras.src.ops.numpy"
    return {"class_name": kind, "module": module, "registered_name": kind, "config": {}, "inbound_nodes": [node]}


def old(function, **options):
    return {"class_name": "TFOpLambda", "config": {"function": function}, "inbound_nodes": [["input", 0, 0, options]]}


@pytest.mark.parametrize(
    ("layer", "kind", "settings"),
    [
        (new("TrueDivide", TENSOR, 2.0), "Rescaling", {"scale": 0.5, "offset": 0.0}),
        (new("Subtract", TENSOR, 1), "Rescaling", {"scale": 1.0, "offset": -1.0}),
        (new("Subtract", 255.0, TENSOR), "Rescaling", {"scale": -1.0, "offset": 255.0}),
        (new("Subtract", TENSOR, [1.0, 2.0, 3.0]), "Rescaling", {"scale": 1.0, "offset": [-1.0, -2.0, -3.0]}),
        (new("Multiply", 3.0, TENSOR), "Rescaling", {"scale": 3.0, "offset": 0.0}),
        (new("Add", TENSOR, TENSOR), "Add", {}),
        (old("math.truediv", y=127.5, name=None), "Rescaling", {"scale": 1 / 127.5, "offset": 0.0}),
        (old("math.subtract", y=1.0, name=None), "Rescaling", {"scale": 1.0, "offset": -1.0}),
        (old("__operators__.add", y=["input", 0, 0], name=None), "Add", {}),
    ],
)
def test_arithmetic_becomes_a_layer(layer, kind, settings):
    found = translate(with_operation(layer), "net").graph.nodes[1]
    assert (found.name, found.kind, found.settings) == ("operation", kind, settings)


@pytest.mark.parametrize(
    "layer",
    [
        new("TrueDivide", 1.0, TENSOR),
        new("TrueDivide", TENSOR, TENSOR),
        new("GetItem", TENSOR, "..."),
        new("GetItem", TENSOR, [{"class_name": "__slice__", "config": {"start": "x", "stop": None, "step": 1}}] * 4),
        new("Add", TENSOR, "file"),
        old("io.read_file"),
        old("math.subtract", y=1.0, evil=3),
    ],
)
def test_other_operations_are_refused(layer):
    with pytest.raises(ModelFolderError, match="computes|called with"):
        translate(with_operation(layer), "net")


def test_branches_keep_the_order_of_the_file_and_nested_names_stay_apart():
    config = keras2.teachable()
    translation = translate(config, "net")
    assert [node.name for node in translation.graph.nodes] == ["input", "convolved", "active", "pooled", "scores"]
    assert translation.leaves["convolved"] == ("sequential_1", "model1", "convolved")
    assert translation.size == (16, 20)


REVERSED = [{"class_name": "__ellipsis__"}, {"start": None, "stop": None, "step": -1}]


@pytest.mark.parametrize(
    ("layer", "kind", "settings"),
    [
        (old("__operators__.getitem", slice_spec=REVERSED), "Conv2D", {"filters": 3}),
        (old("nn.bias_add", bias=[-1.0, 2.0, 3.0], data_format="NHWC"), "Rescaling", {"offset": [-1.0, 2.0, 3.0]}),
        (old("math.truediv", y=[2.0, 4.0, 8.0], name=None), "Rescaling", {"scale": [0.5, 0.25, 0.125]}),
        (old("math.multiply", y=[[[[1.0, 2.0, 3.0]]]]), "Rescaling", {"scale": [1.0, 2.0, 3.0]}),
        (old("nn.relu6"), "Activation", {"activation": "relu6"}),
        (old("nn.leaky_relu", alpha=0.1), "LeakyReLU", {"negative_slope": 0.1}),
        (old("nn.gelu"), "Activation", {"activation": "gelu"}),
        (old("clip_by_value", clip_value_min=0, clip_value_max=6), "ReLU", {"max_value": 6.0}),
        (old("compat.v1.transpose", perm=[0, 2, 1, 3], name="t", conjugate=False), "Permute", {"dims": [2, 1, 3]}),
        (old("image.resize", size=[8, 8]), "Resizing", {"height": 8}),
    ],
)
def test_operations_of_keras_2_become_layers(layer, kind, settings):
    layer["class_name"] = "SlicingOpLambda" if "getitem" in layer["config"]["function"] else "TFOpLambda"
    found = translate(with_operation(layer), "net", keras=2).graph.nodes[1]
    assert found.kind == kind
    assert settings.items() <= found.settings.items()


def test_a_number_may_come_before_the_tensor():
    layer = old("math.subtract", y=["input", 0, 0], name=None)
    layer["inbound_nodes"][0][:3] = ["_CONSTANT_VALUE", -1, 1.0]
    assert translate(with_operation(layer), "net").graph.nodes[1].settings == {"scale": -1.0, "offset": 1.0}


def changed(place, **settings):
    config = keras2.functional()
    config["config"]["layers"][place]["config"].update(settings)
    return config


def test_hard_sigmoid_is_that_of_the_keras_that_wrote_the_file():
    config = changed(2, activation="hard_sigmoid")
    assert translate(config, "net", keras=3).graph.nodes[2].settings["activation"] == "hard_sigmoid"
    nodes = translate(config, "net", keras=2).graph.nodes
    assert [node.settings for node in nodes[3:5]] == [{"scale": 0.2, "offset": 0.5}, {"max_value": 1.0}]


@pytest.mark.parametrize("activation", ["softmax_v2", {"class_name": "function", "config": "softmax_v2"}])
def test_functions_of_tensorflow_are_activations(activation):
    assert translate(changed(2, activation=activation), "net").graph.nodes[2].settings == {"activation": "softmax"}


def test_a_layer_that_works_as_in_training_when_it_scores_is_refused():
    config = keras2.functional()
    layer = config["config"]["layers"][2]
    layer |= {"class_name": "Dropout", "config": {"name": "active", "rate": 0.5}}
    layer["inbound_nodes"][0][0][3] = {"training": True}
    assert translate(config, "net", keras=3).graph.nodes[2].kind == "Dropout"
    with pytest.raises(ModelFolderError, match="called with training=True"):
        translate(config, "net", keras=2)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("LayerNormalization", {"rms_scaling": True}),
        ("BatchNormalization", {"renorm": True}),
        ("Conv2D", {"dtype": {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8"}}}),
        ("Resizing", {"height": 9, "width": 9, "interpolation": "bicubic"}),
    ],
)
def test_settings_that_change_what_a_layer_does_are_refused(kind, settings):
    config = changed(2, **settings)
    config["config"]["layers"][2]["class_name"] = kind
    with pytest.raises(ModelFolderError, match="layer 'active' (has the setting|is quantised|resizes)"):
        translate(config, "net")


def test_a_layer_is_used_twice_with_the_weights_of_one():
    config = keras2.functional()
    layers = config["config"]["layers"]
    layers[2]["inbound_nodes"].append([["active", 0, 0, {}]])
    layers[3]["inbound_nodes"][0][0][1] = 1
    translation = translate(config, "net")
    assert [node.inputs for node in translation.graph.nodes[2:5]] == [("convolved",), ("active",), ("active.2",)]
    assert translation.leaves["active"] == translation.leaves["active.2"]
    layers[1]["inbound_nodes"] = [[["input", 0, 0, {}]]] * 17
    with pytest.raises(ModelFolderError, match="'convolved' is used more than 16 times"):
        translate(config, "net")


def test_networks_nested_in_many_copies_are_refused_soon():
    inner = keras2.functional("level")
    for level in range(7):
        outer = keras2.functional(f"level{level}")
        nested = inner | {"name": "nested", "inbound_nodes": [[["input", 0, 0, {}]]] * 16}
        outer["config"]["layers"][1] = nested
        outer["config"]["layers"][2]["inbound_nodes"] = [[["nested", 1, 0, {}]]]
        inner = outer
    with pytest.raises(ModelFolderError, match="more than"):
        translate(inner, "net")
