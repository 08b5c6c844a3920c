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
