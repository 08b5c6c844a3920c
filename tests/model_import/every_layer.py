"""One network with every kind of layer and every activation that an imported graph may have, side by side."""

from __future__ import annotations

import numpy as np

from vision_recipes.model_folder import Network, layer_graph
from vision_recipes.model_folder.layer_graph import Graph, Node
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import Preprocessing

SIDE = 12
CLASSES = 6
SETTINGS: dict[str, list[dict]] = {
    "Conv2D": [
        {"filters": 3, "kernel_size": [3, 2], "strides": 2, "padding": "same", "activation": "relu"},
        {"filters": 4, "kernel_size": 3, "groups": 2, "use_bias": False},
        {"filters": 3, "kernel_size": 3, "dilation_rate": 2, "padding": "valid"},
    ],
    "DepthwiseConv2D": [{"kernel_size": 3, "depth_multiplier": 2, "padding": "same"}],
    "SeparableConv2D": [{"filters": 5, "kernel_size": 3, "strides": 1, "padding": "same"}],
    "Conv2DTranspose": [
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
        {"filters": 3, "kernel_size": 2, "strides": 2, "padding": "valid"},
    ],
    "Dense": [{"units": 3, "activation": "tanh"}],
    "BatchNormalization": [{"epsilon": 0.01}],
    "LayerNormalization": [{"axis": -1, "epsilon": 1e-6}],
    "GroupNormalization": [{"groups": 2}],
    "ReLU": [{}, {"max_value": 6.0}, {"negative_slope": 0.1, "threshold": 0.2}],
    "LeakyReLU": [{"negative_slope": 0.2}],
    "PReLU": [{"shared_axes": [1, 2]}],
    "ELU": [{"alpha": 0.7}],
    "Softmax": [{"axis": -1}],
    "MaxPooling2D": [{"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": 2}],
    "AveragePooling2D": [{"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": 2}],
    "GlobalAveragePooling2D": [{"keepdims": True}],
    "GlobalMaxPooling2D": [{"keepdims": True}],
    "ZeroPadding2D": [{"padding": [[1, 2], [0, 3]]}],
    "Cropping2D": [{"cropping": [[1, 2], [0, 3]]}],
    "UpSampling2D": [{"size": 2, "interpolation": "nearest"}, {"size": 2, "interpolation": "bilinear"}],
    "Reshape": [{"target_shape": [SIDE * SIDE, 2, 2]}],
    "Permute": [{"dims": [2, 1, 3]}, {"dims": [3, 1, 2]}],
    "Dropout": [{"rate": 0.5}],
    "SpatialDropout2D": [{"rate": 0.5}],
    "GaussianNoise": [{"stddev": 0.5}],
    "GaussianDropout": [{"rate": 0.5}],
    "Rescaling": [{"scale": 0.5, "offset": 0.1}, {"scale": [0.5, 0.4, 0.3, 2.0], "offset": [1.0, 0.0, 2.0, 3.0]}],
    "UnitNormalization": [{"axis": -1}],
    "Resizing": [
        {"height": 9, "width": 20},
        {"height": 24, "width": 6, "interpolation": "nearest"},
        {"height": 7, "width": 5, "interpolation": "nearest"},
        {"height": 5, "width": 8, "crop_to_aspect_ratio": True},
        {"height": 5, "width": 8, "pad_to_aspect_ratio": True},
    ],
    "CenterCrop": [{"height": 5, "width": 8}, {"height": 30, "width": 20}],
    "Normalization": [{"axis": -1, "mean": [0.1, 0.2, 0.3, 0.4], "variance": [1.0, 2.0, 3.0, 4.0]}],
}
MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")


def network_of_every_layer() -> tuple[object, ModelSpec]:
    """Return a keras.Model with random weights and its description for `save_model`."""
    import keras

    keras.utils.set_random_seed(5)
    nodes = [
        Node("input", "InputLayer"),
        Node("first", "Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"}, ("input",)),
        Node("second", "Conv2D", {"filters": 4, "kernel_size": 3, "padding": "same"}, ("input",)),
    ]
    ends = []

    def add(kind: str, settings: dict, inputs: tuple[str, ...] = ("first",)) -> None:
        name = f"{kind.lower()}{len(nodes)}"
        nodes.append(Node(name, kind, settings, inputs))
        pooled = f"{name}_pooled"
        nodes.append(Node(pooled, "GlobalAveragePooling2D", {}, (name,)))
        ends.append(pooled)

    for kind, options in SETTINGS.items():
        for settings in options:
            add(kind, settings)
    for activation in layer_graph.ACTIVATIONS:
        add("Activation", {"activation": activation})
    for kind in MERGING:
        add(kind, {}, ("first", "second"))
    nodes.append(Node("rows", "Reshape", {"target_shape": [SIDE * SIDE, 4]}, ("first",)))
    for kind in ("GlobalAveragePooling1D", "GlobalMaxPooling1D"):
        nodes.append(Node(kind.lower(), kind, {}, ("rows",)))
        ends.append(kind.lower())
    nodes.append(Node("flat", "Flatten", {}, ("second",)))
    nodes.append(Node("joined", "Concatenate", {}, (*ends, "flat")))
    nodes.append(Node("scores", "Dense", {"units": CLASSES, "activation": "softmax"}, ("joined",)))
    graph = Graph(tuple(nodes))
    assert {node.kind for node in nodes} == set(layer_graph.LAYERS)
    network = layer_graph.build(graph, (SIDE, SIDE, 3))
    draw = np.random.default_rng(1)
    for layer in network.layers:  # no statistic or offset that is all zeros or ones hides a mistake
        layer.set_weights(
            [
                np.abs(values) + draw.uniform(0.1, 0.5, values.shape) if values.ndim == 1 else values
                for values in layer.get_weights()
            ]
        )
    size = Preprocessing(SIDE, SIDE, "bgr", (100.0, 110.0, 120.0), (50.0, 60.0, 70.0))
    labels = tuple(f"class {number}" for number in range(CLASSES))
    spec = ModelSpec("every layer", Network("every", classes=CLASSES), size, labels, "first", graph=graph)
    return network, spec
