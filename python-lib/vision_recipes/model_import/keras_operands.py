"""Operations of Keras 2 and 3 under one name each, with operands and options by Keras 3's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vision_recipes.model_import.keras_calls import Call, Tensor
from vision_recipes.model_import.keras_graph import Path
from vision_recipes.strict_json import require

KERAS_2 = {
    **{f"math.{name}": name.capitalize() for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum")},
    **{
        f"math.{name}": name.capitalize()
        for name in ("negative", "abs", "square", "sigmoid", "tanh", "softplus", "exp")
    },
    **{
        f"nn.{name}": name.capitalize() for name in ("relu", "relu6", "silu", "swish", "elu", "selu", "softmax", "gelu")
    },
    **{f"nn.{name}": name.capitalize() for name in ("sigmoid", "tanh", "softplus", "softsign")},
    **{"math.truediv": "Divide", "math.pow": "Power", "__operators__.add": "Add", "nn.bias_add": "Add"},
    **{"nn.softmax_v2": "Softmax", "nn.leaky_relu": "LeakyRelu", "__operators__.getitem": "GetItem"},
    **{"cast": "Cast", "identity": "Identity", "stop_gradient": "Identity", "clip_by_value": "Clip"},
    **{"math.reduce_mean": "Mean", "math.reduce_max": "Max", "concat": "Concatenate", "reshape": "Reshape"},
    **{"transpose": "Transpose", "compat.v1.transpose": "Transpose", "pad": "Pad", "compat.v1.pad": "Pad"},
    **{"squeeze": "Squeeze", "compat.v1.squeeze": "Squeeze", "expand_dims": "ExpandDims", "image.resize": "Resize"},
    **{"math.l2_normalize": "Normalize", "image.rgb_to_grayscale": "RGBToGrayscale"},
    **{"image.grayscale_to_rgb": "GrayscaleToRGB", "stack": "Stack"},
}
"""Operations of Keras 2, by the name of TensorFlow's function, as Keras 3 calls them."""

OPTIONS = {
    **{"perm": "axes", "shape": "newshape", "clip_value_min": "x_min", "clip_value_max": "x_max", "bias": "x2"},
    **{"paddings": "pad_width", "alpha": "negative_slope", "method": "interpolation", "slice_spec": "key", "y": "x2"},
    **{"keep_dims": "keepdims", "reduction_indices": "axis"},
}
"""Options of Keras 2, as Keras 3 calls them."""

UNUSED = ("name", "conjugate", "data_format", "features", "epsilon", "training", "mask")
"""Options that do not change what is computed, or that are checked elsewhere."""


class Node(str):
    """The name of a node of the graph, where an operation may have a plain value as well."""

    __slots__ = ()


@dataclass(frozen=True)
class Operation:
    """An operation by its name in Keras 3, with its operands (Nodes, plain values, or lists of them) by position."""

    name: str
    operands: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    path: Path = ()
    keras: int = 3

    @property
    def nodes(self) -> list[Node]:
        """All operands that are nodes, also those in lists."""
        found = [item for value in self.operands for item in (value if isinstance(value, list) else [value])]
        return [item for item in found if isinstance(item, Node)]

    @property
    def only(self) -> str:
        """The node that is the only one; ValueError when there are more, or none."""
        require(len(self.nodes) == 1, self.refusal)
        return self.nodes[0]

    @property
    def refusal(self) -> str:
        """Why the operation is not read."""
        where = f" in its layer {self.path[-1][:60]!r}" if self.path else ""
        return (
            f"it computes with {self.name[:60]!r}{where}, which is not read here in this way. Replace it by layers, or "
            "export the network to ONNX and import that"
        )

    def option(self, name: str, place: int, usual: Any = None) -> Any:
        """Return what was given by name or as operand number `place`, or the usual value."""
        return self.operands[place] if len(self.operands) > place else self.options.get(name, usual)


def read_operation(
    layer: dict[str, Any], call: Call, path: Path, node_of: Callable[[Tensor], str], keras: int
) -> Operation:
    """Return an operation of a description with one of its calls; ValueError when its options are not known."""
    kind, config = str(layer["class_name"]), layer["config"]
    of_keras_2 = "function" in config
    function = str(config.get("function"))
    name = KERAS_2.get(function, function) if of_keras_2 else kind
    given = dict(call.options) if of_keras_2 else {**config, **call.options}
    operands = list(_resolved(call.arguments, node_of))
    names = OPTIONS if of_keras_2 else {}
    options = {names.get(key, key): _resolved(value, node_of) for key, value in given.items() if key not in UNUSED}
    options = {key: value for key, value in options.items() if value is not None}
    while len(operands) < 2 and "x2" in options:
        operands.append(options.pop("x2"))
    known = set(options) <= KNOWN_OPTIONS
    require(known, f"it computes with {name[:60]!r} and the options {sorted(set(options) - KNOWN_OPTIONS)}")
    return Operation(name, tuple(operands), options, path, 2 if of_keras_2 else keras)


KNOWN_OPTIONS = {
    *(
        "x_min",
        "x_max",
        "dtype",
        "approximate",
        "negative_slope",
        "alpha",
        "axis",
        "order",
        "newshape",
        "axes",
        "keepdims",
    ),
    *("pad_width", "mode", "constant_values", "key", "size", "interpolation", "antialias", "preserve_aspect_ratio"),
    *("crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value", "x2", "repeats"),
}


def _resolved(value: Any, node_of: Callable[[Tensor], str]) -> Any:
    if isinstance(value, Tensor):
        return Node(node_of(value))
    if isinstance(value, (list, tuple)):
        made: Sequence[Any] = [_resolved(item, node_of) for item in value]
        return list(made)
    return value
