"""Layer graphs as data: a network that is not in the catalogue, built from allow-listed layers only.

A graph names built-in layers and plain values for their known settings. Nothing in it is code, a module or a path, so a
graph from an untrusted source can at worst be a useless network.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError
from vision_recipes.strict_json import require

ACTIVATIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "mish", "tanh", "sigmoid"),
    *("hard_sigmoid", "hard_silu", "hard_swish", "softplus", "softsign", "exponential", "softmax", "celu"),
)
_CONVOLUTION = ("kernel_size", "strides", "padding", "dilation_rate", "activation", "use_bias")
_NORMALISATION = ("axis", "epsilon", "center", "scale")
_POOLING = ("pool_size", "strides", "padding")

LAYERS: dict[str, tuple[str, ...]] = {
    "InputLayer": (),
    "Conv2D": ("filters", "groups", *_CONVOLUTION),
    "DepthwiseConv2D": ("depth_multiplier", *_CONVOLUTION),
    "SeparableConv2D": ("filters", "depth_multiplier", *_CONVOLUTION),
    "Conv2DTranspose": ("filters", "output_padding", *_CONVOLUTION),
    "Dense": ("units", "activation", "use_bias"),
    "BatchNormalization": ("momentum", *_NORMALISATION),
    "LayerNormalization": _NORMALISATION,
    "GroupNormalization": ("groups", *_NORMALISATION),
    "Activation": ("activation",),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "LeakyReLU": ("negative_slope",),
    "PReLU": ("shared_axes",),
    "ELU": ("alpha",),
    "Softmax": ("axis",),
    "MaxPooling2D": _POOLING,
    "AveragePooling2D": _POOLING,
    "GlobalAveragePooling2D": ("keepdims",),
    "GlobalMaxPooling2D": ("keepdims",),
    "GlobalAveragePooling1D": ("keepdims",),
    "GlobalMaxPooling1D": ("keepdims",),
    "ZeroPadding2D": ("padding",),
    "Cropping2D": ("cropping",),
    "UpSampling2D": ("size", "interpolation"),
    "Flatten": (),
    "Reshape": ("target_shape",),
    "Permute": ("dims",),
    "Dropout": ("rate",),
    "SpatialDropout2D": ("rate",),
    "GaussianNoise": ("stddev",),
    "GaussianDropout": ("rate",),
    "Add": (),
    "Subtract": (),
    "Multiply": (),
    "Average": (),
    "Maximum": (),
    "Minimum": (),
    "Concatenate": ("axis",),
    "Rescaling": ("scale", "offset"),
    "Normalization": ("axis", "mean", "variance", "invert"),
    "UnitNormalization": ("axis",),
    "Resizing": ("height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio"),
    "CenterCrop": ("height", "width"),
}
"""The layers that a graph may have, and of each the settings that it may give."""

FOR_PICTURES = ("Resizing", "CenterCrop")
"""Layers that Keras takes to be in training unless told otherwise, and with them all layers after them."""

MAX_BYTES = 8 << 20
MAX_LAYERS = 5000
MAX_UNITS = 10_000_000


@dataclass(frozen=True)
class Node:
    """A layer of a graph: the kind is a key of LAYERS, `inputs` are names of earlier nodes."""

    name: str
    kind: str
    settings: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        name = re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_.>-]{0,199}", self.name)
        require(name, f"{self.name[:60]!r} is not a name of a layer")
        kind = f"layer {self.name!r} is of kind {self.kind[:60]!r}, which is not among the layers that are read"
        require(self.kind in LAYERS, kind)
        where = f"layer {self.name!r} ({self.kind})"
        for key, value in self.settings.items():
            require(key in LAYERS[self.kind], f"{where} has the setting {key[:60]!r}, which is not read")
            require(_is_plain(value), f"{where}: {key} is not a plain value")
        activation = self.settings.get("activation", "linear")
        reason = f"{where}: the activation {str(activation)[:60]!r} is not among those that are read"
        require(activation is None or activation in ACTIVATIONS, reason)


@dataclass(frozen=True)
class Graph:
    """A network with one picture input (the first node) and one output (the last node), in the order of computation."""

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        fits = 2 <= len(self.nodes) <= MAX_LAYERS and self.nodes[0].kind == "InputLayer"
        require(fits, f"the graph must start with its input and have 2 to {MAX_LAYERS} layers")
        before: set[str] = set()
        for node in self.nodes:
            require(node.name not in before, f"two layers are called {node.name!r}")
            ordered = bool(before) == bool(node.inputs) and set(node.inputs) <= before
            inputs = list(node.inputs)[:3]
            require(ordered, f"layer {node.name!r} takes the output of {inputs}, which do not come before it")
            before.add(node.name)


def upstream(graph: Graph, layer: str) -> Graph:
    """Return the part of a graph that the output of a layer depends on."""
    needed, kept = {layer}, []
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed |= set(node.inputs)
            kept.append(node)
    return Graph(tuple(reversed(kept)))


def read_graph(content: bytes, where: str) -> Graph:
    """Return the graph in a file of a model folder; raises ModelFolderError."""
    return strict_json.read(Graph, strict_json.parse(content, where, limit=MAX_BYTES), where)


def write_graph(graph: Graph) -> bytes:
    """Return the bytes of a graph's file."""
    return (json.dumps(strict_json.write(graph), separators=(",", ":")) + "\n").encode()


def build(graph: Graph, shape: tuple[int, int, int]) -> Any:
    """Return the keras.Model of a graph with random weights, for pictures of (height, width, channels)."""
    import keras

    outputs: dict[str, Any] = {graph.nodes[0].name: keras.Input(shape, name=graph.nodes[0].name)}
    try:
        for node in graph.nodes[1:]:
            layer = getattr(keras.layers, node.kind)(name=node.name, **node.settings)
            inputs = [outputs[name] for name in node.inputs]
            scoring = {"training": False} if node.kind in FOR_PICTURES else {}
            outputs[node.name] = layer(inputs if len(inputs) > 1 else inputs[0], **scoring)
    except (ValueError, TypeError) as err:
        reason = re.sub(r"\x1b\[\d*m|\s+", " ", str(err).partition("Arguments received")[0]).strip()
        raise ModelFolderError(f"The network's layer {node.name!r} ({node.kind}) cannot be built: {reason}") from err
    return keras.Model(outputs[graph.nodes[0].name], outputs[graph.nodes[-1].name], name="network")


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= 10_000 and all(_is_plain(item) for item in value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return abs(value) <= MAX_UNITS
    return value is None or isinstance(value, (bool, str))
