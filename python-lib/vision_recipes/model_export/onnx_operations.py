"""Operations of an OpenVINO IR as ONNX nodes (opset 18), one entry each; what is not in the tables cannot be exported.

No maintained library translates in this direction, and the ways by TensorFlow or PyTorch need those and older packages.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from vision_recipes.model_export.onnx_windows import convolution, pool, transposed_convolution
from vision_recipes.model_export.onnx_writer import Writer, constant_of, tensor_type

OPSET = 18
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
        axes = constant_of(node.input_value(1)).astype(np.int64).ravel()
        return writer.add(kind, [inputs[0], writer.constant(axes)], keepdims=int(node.get_attributes()["keep_dims"]))
    return TRANSLATIONS[kind](node, inputs, writer)


def _product(node: Any, inputs: list[str], writer: Writer) -> str:
    factors = []
    for place, (name, key) in enumerate(zip(inputs, ("transpose_a", "transpose_b"), strict=True)):
        rank = node.get_input_partial_shape(place).rank.get_length()
        order = [*range(rank - 2), rank - 1, rank - 2]
        factors.append(writer.add("Transpose", [name], perm=order) if node.get_attributes()[key] and rank > 1 else name)
    return writer.add("MatMul", factors)


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
    given: dict[str, Any] = {"axes": axes}
    scales_or_sizes = [inputs[1]]
    if attributes["shape_calculation_mode"] == "sizes":
        # sizes of all axes: with those of some, onnxruntime moves transpositions across the node wrongly
        given, scales_or_sizes = {}, ["", _size_of(node, inputs[0], axes, writer)]
    modes = {"nearest": "nearest", "linear": "linear", "linear_onnx": "linear", "cubic": "cubic"}
    return writer.add(
        "Resize",
        [inputs[0], "", *scales_or_sizes],
        antialias=int(attributes["antialias"]),
        mode=modes[attributes["mode"]],
        coordinate_transformation_mode=attributes["coordinate_transformation_mode"],
        nearest_mode="floor" if attributes["nearest_mode"] == "simple" else attributes["nearest_mode"],
        cubic_coeff_a=attributes["cube_coeff"],
        **given,
    )


def _size_of(node: Any, source: str, axes: list[int], writer: Writer) -> str:
    """Return the name of the sides after a resizing, of which the batch is the source's."""
    sides = list(node.get_output_partial_shape(0))[1:]
    if 0 in axes or any(side.is_dynamic for side in sides):
        raise KeyError("Interpolate to a size that is computed")
    known = writer.constant(np.array([side.get_length() for side in sides], np.int64))
    return writer.add("Concat", [writer.add("Shape", [source], start=0, end=1), known], axis=0)


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


def _sliced_by_masks(node: Any, inputs: list[str], writer: Writer) -> str:
    attributes = node.get_attributes()
    if any(any(attributes[f"{kind}_mask"]) for kind in ("new_axis", "shrink_axis", "ellipsis")):
        raise KeyError("StridedSlice that adds or removes axes")
    whole = list(zip(attributes["begin_mask"], attributes["end_mask"], strict=True))
    if not {tuple(map(bool, masks)) for masks in whole} <= {(True, True), (False, False)}:
        raise KeyError("StridedSlice with half a range")
    axes = writer.constant(np.array([axis for axis, masks in enumerate(whole) if not masks[0]], np.int64))
    start, stop, step = (writer.add("Gather", [writer.integers(output), axes]) for output in node.input_values()[1:4])
    return writer.add("Slice", [inputs[0], start, stop, axes, step])


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
    **{"AvgPool": pool, "MaxPool": pool, "BatchNormInference": _normalisation, "Clamp": _clamped, "Convert": _cast},
    "Concat": lambda node, inputs, writer: writer.add("Concat", inputs, axis=node.get_attributes()["axis"]),
    **{"Convolution": convolution, "GroupConvolution": convolution},
    **{"ConvolutionBackpropData": transposed_convolution, "Gather": _gathered, "Gelu": _gelu, "MatMul": _product},
    "Elu": lambda node, inputs, writer: writer.add("Elu", inputs, alpha=node.get_attributes()["alpha"]),
    **{"HardSigmoid": _hard_sigmoid, "HSigmoid": _hard_sigmoid, "Interpolate": _resized, "PRelu": _prelu, "Pad": _pad},
    **{"Reshape": _reshaped, "Selu": _selu, "ShapeOf": _shape, "Slice": _sliced, "Swish": _swish},
    **{"StridedSlice": _sliced_by_masks},
    "Softmax": lambda node, inputs, writer: writer.add("Softmax", inputs, axis=node.get_attributes()["axis"]),
    **{"SquaredDifference": _squared_difference, "Squeeze": _with_axes("Squeeze"), "Tile": _with_axes("Tile")},
    "Transpose": lambda node, inputs, writer: writer.add(
        "Transpose", inputs[:1], perm=[int(axis) for axis in constant_of(node.input_value(1)).ravel()]
    ),
    **{"Unsqueeze": _with_axes("Unsqueeze"), "Broadcast": _with_axes("Expand")},
}
"""Operations with other inputs or attributes in ONNX."""
