"""Operations of an OpenVINO IR said in ONNX (opset 18), one entry each; what is not in the tables cannot be exported.

No kept library translates in this direction, and the ways by TensorFlow or PyTorch need those and older companions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

OPSET = 18


class Writer(Protocol):
    """What the translations write to: nodes with one output each, and constants."""

    def add(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node and return the name of its output."""

    def constant(self, values: np.ndarray) -> str:
        """Return the name of a constant."""

    def integers(self, output: Any) -> str:
        """Return the name of a tensor of the IR as int64."""


PLAIN = {
    **{
        kind: kind
        for kind in ("Abs", "Add", "Erf", "Exp", "Floor", "Greater", "Less", "Equal", "Log", "MatMul", "Mish")
    },
    **{kind: kind for kind in ("Relu", "Sigmoid", "Sqrt", "Tanh")},
    **{"Ceiling": "Ceil", "Divide": "Div", "GreaterEqual": "GreaterOrEqual", "HSwish": "HardSwish", "Multiply": "Mul"},
    **{"LessEqual": "LessOrEqual", "LogicalAnd": "And", "LogicalNot": "Not", "LogicalOr": "Or", "Maximum": "Max"},
    **{
        "Minimum": "Min",
        "Negative": "Neg",
        "Power": "Pow",
        "Range": "Range",
        "Select": "Where",
        "SoftPlus": "Softplus",
    },
    **{"SoftSign": "Softsign", "Subtract": "Sub"},
}
"""Operations that mean the same, with the same inputs."""

REDUCTIONS = ("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum")
Translation = Callable[[Any, list[str], Writer], str]


def translate(node: Any, inputs: list[str], writer: Writer) -> str:
    """Add what a node of the IR does and return the name of its output; KeyError when it has no translation."""
    kind = node.get_type_name()
    if kind == "MatMul":
        return _product(node, inputs, writer)
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


def _product(node: Any, inputs: list[str], writer: Writer) -> str:
    turned = []
    for place, (name, key) in enumerate(zip(inputs, ("transpose_a", "transpose_b"), strict=True)):
        rank = node.get_input_partial_shape(place).rank.get_length()
        order = [*range(rank - 2), rank - 1, rank - 2]
        turned.append(writer.add("Transpose", [name], perm=order) if node.get_attributes()[key] and rank > 1 else name)
    return writer.add("MatMul", turned)


def _convolution(node: Any, inputs: list[str], writer: Writer) -> str:
    kernel, groups = constant_of(node.input_value(1)), 1
    if node.get_type_name() == "GroupConvolution":
        groups, kernel = kernel.shape[0], kernel.reshape(-1, *kernel.shape[2:])
    told = node.get_attributes()
    sides = node.get_input_partial_shape(0)
    pads = _pads(told, [sides[axis + 2].get_length() for axis in range(kernel.ndim - 2)], kernel.shape[2:])
    return writer.add(
        "Conv",
        [inputs[0], writer.constant(kernel)],
        group=groups,
        pads=pads,
        strides=list(told["strides"]),
        dilations=list(told["dilations"]),
        kernel_shape=list(kernel.shape[2:]),
    )


def _pads(told: dict[str, Any], sides: Sequence[int], kernel: Sequence[int]) -> list[int]:
    """Return what is put before and after each side, in numbers."""
    if told["auto_pad"] == "explicit":
        return [*told["pads_begin"], *told["pads_end"]]
    if told["auto_pad"] == "valid":
        return [0] * 2 * len(sides)
    before, after = [], []
    for side, width, step, wide in zip(
        sides, kernel, told["strides"], told.get("dilations", [1] * len(sides)), strict=True
    ):
        whole = max((math.ceil(side / step) - 1) * step + (width - 1) * wide + 1 - side, 0)
        less, more = whole // 2, whole - whole // 2
        before.append(less if told["auto_pad"] == "same_upper" else more)
        after.append(more if told["auto_pad"] == "same_upper" else less)
    return before + after


def _transposed_convolution(node: Any, inputs: list[str], writer: Writer) -> str:
    kernel, told = constant_of(node.input_value(1)), node.get_attributes()
    made, taken = node.get_output_partial_shape(0), node.get_input_partial_shape(0)
    before, after, added = [], [], []
    for axis, (width, step, wide) in enumerate(
        zip(kernel.shape[2:], told["strides"], told["dilations"], strict=True), start=2
    ):
        surplus = (taken[axis].get_length() - 1) * step + (width - 1) * wide + 1 - made[axis].get_length()
        cut = max(surplus, 0)
        if told["auto_pad"] == "explicit":
            before.append(told["pads_begin"][axis - 2])
            added.append(max(told["pads_begin"][axis - 2] + told["pads_end"][axis - 2] - surplus, 0))
            after.append(told["pads_end"][axis - 2])
        else:
            before.append(cut // 2 if told["auto_pad"] == "same_lower" else cut - cut // 2)
            after.append(cut - before[-1])
            added.append(max(-surplus, 0))
    return writer.add(
        "ConvTranspose",
        [inputs[0], writer.constant(kernel)],
        pads=before + after,
        strides=list(told["strides"]),
        dilations=list(told["dilations"]),
        output_padding=added,
        kernel_shape=list(kernel.shape[2:]),
    )


def _pool(node: Any, inputs: list[str], writer: Writer) -> str:
    told, kernel = node.get_attributes(), [int(side) for side in node.get_attributes()["kernel"]]
    shape = node.get_input_partial_shape(0)
    sides = [shape[axis + 2].get_length() for axis in range(len(kernel))]
    pads, rounded_up = _pads(told, sides, kernel), int(told["rounding_type"] != "floor")
    given = {"kernel_shape": kernel, "strides": list(told["strides"]), "pads": pads, "ceil_mode": rounded_up}
    if node.get_type_name() == "AvgPool":
        return writer.add("AveragePool", inputs[:1], count_include_pad=int(not told["exclude-pad"]), **given)
    return writer.add("MaxPool", inputs[:1], dilations=list(told["dilations"]), **given)


def _normalisation(node: Any, inputs: list[str], writer: Writer) -> str:
    return writer.add("BatchNormalization", inputs, epsilon=node.get_attributes()["epsilon"])


def _pad(node: Any, inputs: list[str], writer: Writer) -> str:
    amounts = np.concatenate([constant_of(node.input_value(place)).ravel() for place in (1, 2)])
    kept = [inputs[0], writer.constant(amounts.astype(np.int64)), *inputs[3:4]]
    modes = {"constant": "constant", "edge": "edge", "reflect": "reflect"}
    return writer.add("Pad", kept, mode=modes[node.get_attributes()["pad_mode"]])


def _resized(node: Any, inputs: list[str], writer: Writer) -> str:
    told = node.get_attributes()
    axes = [int(axis) for axis in constant_of(node.input_value(2)).ravel()]
    sizes = told["shape_calculation_mode"] == "sizes"
    if sizes:
        shape = node.get_output_partial_shape(0)
        given = writer.constant(np.array([shape[axis].get_length() for axis in axes], np.int64))
    else:
        given = inputs[1]
    modes = {"nearest": "nearest", "linear": "linear", "linear_onnx": "linear", "cubic": "cubic"}
    return writer.add(
        "Resize",
        [inputs[0], "", *(["", given] if sizes else [given])],
        axes=axes,
        antialias=int(told["antialias"]),
        mode=modes[told["mode"]],
        coordinate_transformation_mode=told["coordinate_transformation_mode"],
        nearest_mode="floor" if told["nearest_mode"] == "simple" else told["nearest_mode"],
        cubic_coeff_a=told["cube_coeff"],
    )


def _reshaped(node: Any, inputs: list[str], writer: Writer) -> str:
    zero = 0 if node.get_attributes()["special_zero"] else 1
    return writer.add("Reshape", [inputs[0], writer.integers(node.input_value(1))], allowzero=zero)


def _slope(node: Any, inputs: list[str], writer: Writer) -> str:
    slope, rank = constant_of(node.input_value(1)), node.get_input_partial_shape(0).rank.get_length()
    if slope.ndim == 1 and slope.size > 1 and rank > 2:
        slope = slope.reshape(-1, *[1] * (rank - 2))
    return writer.add("PRelu", [inputs[0], writer.constant(slope)])


def _gelu(node: Any, inputs: list[str], writer: Writer) -> str:
    def number(value: float) -> str:
        return writer.constant(np.array(value, np.float32))

    (x,) = inputs
    if node.get_attributes()["approximation_mode"] == "ERF":
        bent = writer.add("Erf", [writer.add("Mul", [x, number(math.sqrt(0.5))])])
    else:
        cube = writer.add("Mul", [writer.add("Mul", [x, x]), writer.add("Mul", [x, number(0.044715)])])
        bent = writer.add("Tanh", [writer.add("Mul", [writer.add("Add", [x, cube]), number(math.sqrt(2 / math.pi))])])
    return writer.add("Mul", [writer.add("Mul", [x, number(0.5)]), writer.add("Add", [bent, number(1.0)])])


def _swish(node: Any, inputs: list[str], writer: Writer) -> str:
    gate = writer.add("Mul", inputs) if len(inputs) > 1 else inputs[0]
    return writer.add("Mul", [inputs[0], writer.add("Sigmoid", [gate])])


def _clamped(node: Any, inputs: list[str], writer: Writer) -> str:
    kind, told = node.get_output_element_type(0).to_dtype(), node.get_attributes()
    return writer.add("Clip", [inputs[0], *(writer.constant(np.array(told[end], kind)) for end in ("min", "max"))])


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
        return writer.add(
            kind, [inputs[0], *(writer.integers(node.input_value(place)) for place in range(1, len(inputs)))]
        )

    return add


def _sliced(node: Any, inputs: list[str], writer: Writer) -> str:
    start, stop, step, *axes = (writer.integers(node.input_value(place)) for place in range(1, len(inputs)))
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
    from onnx import helper

    kind = helper.np_dtype_to_tensor_dtype(np.dtype(node.get_output_element_type(0).to_dtype()))
    return writer.add("Cast", inputs[:1], to=kind)


def _shape(node: Any, inputs: list[str], writer: Writer) -> str:
    return _cast(node, [writer.add("Shape", inputs)], writer)


TRANSLATIONS: dict[str, Translation] = {
    **{"AvgPool": _pool, "MaxPool": _pool, "BatchNormInference": _normalisation, "Clamp": _clamped, "Convert": _cast},
    "Concat": lambda node, inputs, writer: writer.add("Concat", inputs, axis=node.get_attributes()["axis"]),
    **{"Convolution": _convolution, "GroupConvolution": _convolution},
    **{"ConvolutionBackpropData": _transposed_convolution, "Gather": _gathered, "Gelu": _gelu},
    "Elu": lambda node, inputs, writer: writer.add("Elu", inputs, alpha=node.get_attributes()["alpha"]),
    **{"HardSigmoid": _hard_sigmoid, "HSigmoid": _hard_sigmoid, "Interpolate": _resized, "PRelu": _slope, "Pad": _pad},
    **{"Reshape": _reshaped, "Selu": _selu, "ShapeOf": _shape, "Slice": _sliced, "Swish": _swish},
    "Softmax": lambda node, inputs, writer: writer.add("Softmax", inputs, axis=node.get_attributes()["axis"]),
    **{"SquaredDifference": _squared_difference, "Squeeze": _with_axes("Squeeze"), "Tile": _with_axes("Tile")},
    "Transpose": lambda node, inputs, writer: writer.add(
        "Transpose", inputs[:1], perm=[int(axis) for axis in constant_of(node.input_value(1)).ravel()]
    ),
    **{"Unsqueeze": _with_axes("Unsqueeze"), "Broadcast": _with_axes("Expand")},
}
"""Operations that are said in other words."""
