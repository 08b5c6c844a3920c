"""Operations of an OpenVINO IR as ONNX nodes (opset 18), one entry each; what is not in the tables cannot be exported.

No maintained library translates in this direction, and the ways by TensorFlow or PyTorch need those and older packages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

OPSET = 18
INT64 = 7
"""The number of the type in ONNX."""


@dataclass
class Writer:
    """Nodes and constants of an ONNX graph under construction; `names` are of the IR's tensors, by node and port."""

    made: list[Any] = field(default_factory=list)
    values: dict[str, np.ndarray] = field(default_factory=dict)
    names: dict[tuple[str, int], str] = field(default_factory=dict)

    def add(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the name of that."""
        from onnx import helper

        name = output or f"{kind}_{len(self.made)}"
        self.made.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        """Return the name of a constant."""
        name = f"constant_{len(self.values)}"
        self.values[name] = values
        return name

    def integers(self, output: Any) -> str:
        """Return the name of a tensor of the IR as int64."""
        if output.get_node().get_type_name() == "Constant":
            return self.constant(constant_of(output).astype(np.int64))
        return self.add("Cast", [self.name_of(output)], to=INT64)

    def name_of(self, output: Any) -> str:
        """Return the name of a tensor of the IR."""
        return self.names[output.get_node().get_name(), output.get_index()]


_SAME_NAME = "Abs Add Erf Exp Floor Greater Less Equal Log Mish Relu Sigmoid Sqrt Tanh Range"
PLAIN = {
    **{kind: kind for kind in _SAME_NAME.split()},
    **{"Ceiling": "Ceil", "Divide": "Div", "GreaterEqual": "GreaterOrEqual", "HSwish": "HardSwish", "Multiply": "Mul"},
    **{"LessEqual": "LessOrEqual", "LogicalAnd": "And", "LogicalNot": "Not", "LogicalOr": "Or", "Maximum": "Max"},
    **{"Minimum": "Min", "Negative": "Neg", "Power": "Pow", "Select": "Where", "SoftPlus": "Softplus"},
    **{"SoftSign": "Softsign", "Subtract": "Sub"},
}
"""Operations that mean the same, with the same inputs."""

REDUCTIONS = ("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum")
Translation = Callable[[Any, list[str], Writer], str]


def translate(node: Any, inputs: list[str], writer: Writer) -> str:
    """Add what a node of the IR does and return the name of its output; KeyError when it has no translation."""
    kind = node.get_type_name()
    if kind in PLAIN:
        return writer.add(PLAIN[kind], inputs)
    if kind in REDUCTIONS:
        axes = writer.integers(node.input_value(1))
        return writer.add(kind, [inputs[0], axes], keepdims=int(node.get_attributes()["keep_dims"]))
    return TRANSLATIONS[kind](node, inputs, writer)


def constant_of(output: Any) -> np.ndarray:
    """Return the values of a tensor that must be a constant; KeyError when it is computed."""
    node = output.get_node()
    if node.get_type_name() != "Constant":
        raise KeyError(f"{node.get_type_name()} in place of a constant")
    return np.asarray(node.get_data())


def tensor_type(element_type: Any) -> int:
    """Return the ONNX number of an element type of the IR."""
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(element_type.to_dtype())))


def _product(node: Any, inputs: list[str], writer: Writer) -> str:
    factors = []
    for place, (name, key) in enumerate(zip(inputs, ("transpose_a", "transpose_b"), strict=True)):
        rank = node.get_input_partial_shape(place).rank.get_length()
        order = [*range(rank - 2), rank - 1, rank - 2]
        factors.append(writer.add("Transpose", [name], perm=order) if node.get_attributes()[key] and rank > 1 else name)
    return writer.add("MatMul", factors)


def _convolution(node: Any, inputs: list[str], writer: Writer) -> str:
    kernel, groups = constant_of(node.input_value(1)), 1
    if node.get_type_name() == "GroupConvolution":
        groups, kernel = kernel.shape[0], kernel.reshape(-1, *kernel.shape[2:])
    given = _window(node.get_attributes(), kernel.shape[2:]) | {"pads": _pads(node, kernel.shape[2:])}
    return writer.add("Conv", [inputs[0], writer.constant(kernel)], group=groups, **given)


def _window(attributes: dict[str, Any], kernel: Sequence[int]) -> dict[str, Any]:
    dilations = list(attributes.get("dilations", [1] * len(kernel)))
    return {"kernel_shape": list(kernel), "strides": list(attributes["strides"]), "dilations": dilations}


def _sides(shape: Any) -> list[int]:
    """Return the spatial sides of a partial shape (n, channels, …)."""
    return [side.get_length() for side in list(shape)[2:]]


def _pads(node: Any, kernel: Sequence[int]) -> list[int]:
    """Return how much is added before each spatial side, then after each."""
    attributes, sides = node.get_attributes(), _sides(node.get_input_partial_shape(0))
    if attributes["auto_pad"] == "explicit":
        return [*attributes["pads_begin"], *attributes["pads_end"]]
    if attributes["auto_pad"] == "valid":
        return [0] * 2 * len(sides)
    window = _window(attributes, kernel)
    smaller, larger = [], []
    for side, width, step, gap in zip(sides, kernel, window["strides"], window["dilations"], strict=True):
        total = max((math.ceil(side / step) - 1) * step + (width - 1) * gap + 1 - side, 0)
        smaller.append(total // 2)
        larger.append(total - total // 2)
    return smaller + larger if attributes["auto_pad"] == "same_upper" else larger + smaller


def _transposed_convolution(node: Any, inputs: list[str], writer: Writer) -> str:
    kernel, attributes = constant_of(node.input_value(1)), node.get_attributes()
    window = _window(attributes, kernel.shape[2:])
    sides = zip(_sides(node.get_input_partial_shape(0)), _sides(node.get_output_partial_shape(0)), strict=True)
    before, after, added = [], [], []
    for axis, (side, output_side) in enumerate(sides):
        step, gap = window["strides"][axis], window["dilations"][axis]
        surplus = (side - 1) * step + (kernel.shape[axis + 2] - 1) * gap + 1 - output_side
        if attributes["auto_pad"] == "explicit":
            before.append(attributes["pads_begin"][axis])
            after.append(attributes["pads_end"][axis])
            added.append(max(before[-1] + after[-1] - surplus, 0))
        else:
            cut = max(surplus, 0)
            before.append(cut // 2 if attributes["auto_pad"] == "same_lower" else cut - cut // 2)
            after.append(cut - before[-1])
            added.append(max(-surplus, 0))
    given = window | {"pads": before + after, "output_padding": added}
    return writer.add("ConvTranspose", [inputs[0], writer.constant(kernel)], **given)


def _pool(node: Any, inputs: list[str], writer: Writer) -> str:
    attributes, kernel = node.get_attributes(), [int(side) for side in node.get_attributes()["kernel"]]
    given = _window(attributes, kernel) | {"pads": _pads(node, kernel)}
    given["ceil_mode"] = int(attributes["rounding_type"] != "floor")
    if node.get_type_name() == "MaxPool":
        return writer.add("MaxPool", inputs[:1], **given)
    del given["dilations"]
    return writer.add("AveragePool", inputs[:1], count_include_pad=int(not attributes["exclude-pad"]), **given)


def _normalisation(node: Any, inputs: list[str], writer: Writer) -> str:
    return writer.add("BatchNormalization", inputs, epsilon=node.get_attributes()["epsilon"])


def _pad(node: Any, inputs: list[str], writer: Writer) -> str:
    amounts = np.concatenate([constant_of(output).ravel() for output in node.input_values()[1:3]])
    operands = [inputs[0], writer.constant(amounts.astype(np.int64)), *inputs[3:4]]
    modes = {mode: mode for mode in ("constant", "edge", "reflect")}
    return writer.add("Pad", operands, mode=modes[node.get_attributes()["pad_mode"]])


def _resized(node: Any, inputs: list[str], writer: Writer) -> str:
    attributes = node.get_attributes()
    axes = [int(axis) for axis in constant_of(node.input_value(2)).ravel()]
    scales_or_sizes = [inputs[1]]
    if attributes["shape_calculation_mode"] == "sizes":
        shape = node.get_output_partial_shape(0)
        scales_or_sizes = ["", writer.constant(np.array([shape[axis].get_length() for axis in axes], np.int64))]
    modes = {"nearest": "nearest", "linear": "linear", "linear_onnx": "linear", "cubic": "cubic"}
    return writer.add(
        "Resize",
        [inputs[0], "", *scales_or_sizes],
        axes=axes,
        antialias=int(attributes["antialias"]),
        mode=modes[attributes["mode"]],
        coordinate_transformation_mode=attributes["coordinate_transformation_mode"],
        nearest_mode="floor" if attributes["nearest_mode"] == "simple" else attributes["nearest_mode"],
        cubic_coeff_a=attributes["cube_coeff"],
    )


def _reshaped(node: Any, inputs: list[str], writer: Writer) -> str:
    zero = 0 if node.get_attributes()["special_zero"] else 1
    return writer.add("Reshape", [inputs[0], writer.integers(node.input_value(1))], allowzero=zero)


def _prelu(node: Any, inputs: list[str], writer: Writer) -> str:
    alpha, rank = constant_of(node.input_value(1)), node.get_input_partial_shape(0).rank.get_length()
    if alpha.ndim == 1 and alpha.size > 1 and rank > 2:
        alpha = alpha.reshape(-1, *[1] * (rank - 2))
    return writer.add("PRelu", [inputs[0], writer.constant(alpha)])


def _gelu(node: Any, inputs: list[str], writer: Writer) -> str:
    def number(value: float) -> str:
        return writer.constant(np.array(value, np.float32))

    (x,) = inputs
    if node.get_attributes()["approximation_mode"] == "ERF":
        gate = writer.add("Erf", [writer.add("Mul", [x, number(math.sqrt(0.5))])])
    else:
        cube = writer.add("Mul", [writer.add("Mul", [x, x]), writer.add("Mul", [x, number(0.044715)])])
        gate = writer.add("Tanh", [writer.add("Mul", [writer.add("Add", [x, cube]), number(math.sqrt(2 / math.pi))])])
    return writer.add("Mul", [writer.add("Mul", [x, number(0.5)]), writer.add("Add", [gate, number(1.0)])])


def _swish(node: Any, inputs: list[str], writer: Writer) -> str:
    gate = writer.add("Mul", inputs) if len(inputs) > 1 else inputs[0]
    return writer.add("Mul", [inputs[0], writer.add("Sigmoid", [gate])])


def _clamped(node: Any, inputs: list[str], writer: Writer) -> str:
    kind, attributes = node.get_output_element_type(0).to_dtype(), node.get_attributes()
    bounds = [writer.constant(np.array(attributes[name], kind)) for name in ("min", "max")]
    return writer.add("Clip", [inputs[0], *bounds])


def _scalars(node: Any, *places: int) -> list[float]:
    return [float(constant_of(node.input_value(place)).item()) for place in places]


def _selu(node: Any, inputs: list[str], writer: Writer) -> str:
    alpha, gamma = _scalars(node, 1, 2)
    return writer.add("Selu", inputs[:1], alpha=alpha, gamma=gamma)


def _hard_sigmoid(node: Any, inputs: list[str], writer: Writer) -> str:
    alpha, beta = _scalars(node, 1, 2) if len(inputs) > 1 else (1 / 6, 0.5)
    return writer.add("HardSigmoid", inputs[:1], alpha=alpha, beta=beta)


def _with_axes(kind: str) -> Translation:
    def add(node: Any, inputs: list[str], writer: Writer) -> str:
        return writer.add(kind, [inputs[0], *map(writer.integers, node.input_values()[1:])])

    return add


def _sliced(node: Any, inputs: list[str], writer: Writer) -> str:
    start, stop, step, *axes = map(writer.integers, node.input_values()[1:])
    every = axes or [writer.constant(np.arange(node.get_input_partial_shape(0).rank.get_length(), dtype=np.int64))]
    return writer.add("Slice", [inputs[0], start, stop, *every, step])


def _gathered(node: Any, inputs: list[str], writer: Writer) -> str:
    if node.get_attributes().get("batch_dims"):
        raise KeyError("Gather with batch dimensions")
    axis = int(constant_of(node.input_value(2)).item())
    return writer.add("Gather", inputs[:2], axis=axis)


def _squared_difference(node: Any, inputs: list[str], writer: Writer) -> str:
    difference = writer.add("Sub", inputs)
    return writer.add("Mul", [difference, difference])


def _cast(node: Any, inputs: list[str], writer: Writer) -> str:
    return writer.add("Cast", inputs[:1], to=tensor_type(node.get_output_element_type(0)))


def _shape(node: Any, inputs: list[str], writer: Writer) -> str:
    return _cast(node, [writer.add("Shape", inputs)], writer)


TRANSLATIONS: dict[str, Translation] = {
    **{"AvgPool": _pool, "MaxPool": _pool, "BatchNormInference": _normalisation, "Clamp": _clamped, "Convert": _cast},
    "Concat": lambda node, inputs, writer: writer.add("Concat", inputs, axis=node.get_attributes()["axis"]),
    **{"Convolution": _convolution, "GroupConvolution": _convolution},
    **{"ConvolutionBackpropData": _transposed_convolution, "Gather": _gathered, "Gelu": _gelu, "MatMul": _product},
    "Elu": lambda node, inputs, writer: writer.add("Elu", inputs, alpha=node.get_attributes()["alpha"]),
    **{"HardSigmoid": _hard_sigmoid, "HSigmoid": _hard_sigmoid, "Interpolate": _resized, "PRelu": _prelu, "Pad": _pad},
    **{"Reshape": _reshaped, "Selu": _selu, "ShapeOf": _shape, "Slice": _sliced, "Swish": _swish},
    "Softmax": lambda node, inputs, writer: writer.add("Softmax", inputs, axis=node.get_attributes()["axis"]),
    **{"SquaredDifference": _squared_difference, "Squeeze": _with_axes("Squeeze"), "Tile": _with_axes("Tile")},
    "Transpose": lambda node, inputs, writer: writer.add(
        "Transpose", inputs[:1], perm=[int(axis) for axis in constant_of(node.input_value(1)).ravel()]
    ),
    **{"Unsqueeze": _with_axes("Unsqueeze"), "Broadcast": _with_axes("Expand")},
}
"""Operations with other inputs or attributes in ONNX."""
