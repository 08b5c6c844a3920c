"""Operations written straight into a Keras network (`x / 127.5 - 1`), read as layers that do the same."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from vision_recipes.model_import import keras_rearranging
from vision_recipes.model_import.keras_graph import GraphBuilder
from vision_recipes.model_import.keras_operands import Operation
from vision_recipes.strict_json import require

MAX_CHANNELS = 10_000
MERGING = ("Add", "Subtract", "Multiply", "Maximum", "Minimum")
ACTIVATIONS = {
    **{"Relu": "relu", "Relu6": "relu6", "Silu": "silu", "Swish": "silu", "Selu": "selu", "Sigmoid": "sigmoid"},
    **{"Tanh": "tanh", "Softplus": "softplus", "Softsign": "softsign", "Mish": "mish", "HardSigmoid": "hard_sigmoid"},
    **{"HardSilu": "hard_silu", "HardSwish": "hard_silu", "Exp": "exponential"},
}
"""Operations that are an activation without settings."""

SAME = ("Identity", "StopGradient", "ConvertToTensor", "Copy")
FLOATS = ("float16", "float32", "float64", "bfloat16", "half", "float", "double")


def add_operation(builder: GraphBuilder, operation: Operation) -> str:
    """Add the nodes that do what an operation does and return the name of the last; ValueError when no layers do."""
    if operation.name in SAME:
        return operation.only
    if operation.name in ACTIVATIONS:
        return _activation(builder, operation, "Activation", {"activation": ACTIVATIONS[operation.name]})
    add = OPERATIONS.get(operation.name) or keras_rearranging.OPERATIONS.get(operation.name)
    if add is None:
        raise ValueError(operation.refusal)
    return add(builder, operation)


def number_of(value: Any) -> Any:
    """Return a number, or a list of numbers (one per channel); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, list)):
        return None
    try:
        array = np.asarray(value, float)
    except (ValueError, TypeError):
        return None
    if array.size == 1:
        return float(array.item())
    return array.ravel().tolist() if array.shape[-1:] == (array.size,) and array.size <= MAX_CHANNELS else None


def _activation(builder: GraphBuilder, op: Operation, kind: str, settings: dict[str, Any]) -> str:
    require(len(op.operands) == 1, op.refusal)
    return builder.add(op.path, kind, settings, [op.only])


def _rescaled(builder: GraphBuilder, op: Operation, node: str, scale: Any, offset: Any = 0.0) -> str:
    sizes = {len(value) for value in (scale, offset) if isinstance(value, list)}
    require(sizes <= {builder.shapes[node][-1], None}, op.refusal)
    return builder.add(op.path, "Rescaling", {"scale": scale, "offset": offset}, [node])


def _merged(builder: GraphBuilder, op: Operation) -> str:
    """Add a sum, difference, product, maximum or minimum: of two tensors, or of a tensor and numbers."""
    require(len(op.operands) == 2, op.refusal)
    nodes = op.nodes
    if len(nodes) == 2 and op.name in MERGING:
        return builder.add(op.path, op.name, {}, nodes)
    node, first = op.only, op.operands[0] not in nodes
    number = number_of(op.operands[0 if first else 1])
    require(number is not None, op.refusal)
    return _with_number(builder, op, node, number, first=first)


def _with_number(builder: GraphBuilder, op: Operation, node: str, number: Any, *, first: bool) -> str:
    if op.name == "Multiply":
        return _rescaled(builder, op, node, number)
    if op.name == "Add":
        return _rescaled(builder, op, node, 1.0, number)
    if op.name == "Subtract":
        return _rescaled(builder, op, node, *((-1.0, number) if first else (1.0, _each(number, operator.neg))))
    if op.name in ("Maximum", "Minimum"):
        require(isinstance(number, float), op.refusal)
        return (
            _clipped(builder, op, node, number, None) if op.name == "Maximum" else _at_most(builder, op, node, number)
        )
    require(op.name in ("Divide", "TrueDivide") and not first and np.all(number), op.refusal)
    return _rescaled(builder, op, node, _each(number, lambda value: 1.0 / value))


def _each(number: Any, change: Callable[[float], float]) -> Any:
    return [change(item) for item in number] if isinstance(number, list) else change(number)


def _clipped(builder: GraphBuilder, op: Operation, node: str, low: float, high: float | None) -> str:
    """Add max(x, low), or min(max(x, low), high)."""
    inner = node if low == 0 else _rescaled(builder, op, node, 1.0, -low)
    settings = {} if high is None else {"max_value": high - low}
    cut = builder.add(op.path, "ReLU", settings, [inner])
    return cut if low == 0 else _rescaled(builder, op, cut, 1.0, low)


def _at_most(builder: GraphBuilder, op: Operation, node: str, high: float) -> str:
    cut = builder.add(op.path, "ReLU", {}, [_rescaled(builder, op, node, -1.0, high)])
    return _rescaled(builder, op, cut, -1.0, high)


def _clip(builder: GraphBuilder, op: Operation) -> str:
    low, high = number_of(op.option("x_min", 1)), number_of(op.option("x_max", 2))
    require(isinstance(low, float) and isinstance(high, float) and low <= high, op.refusal)
    return _clipped(builder, op, op.only, low, high)


def _negative(builder: GraphBuilder, op: Operation) -> str:
    return _rescaled(builder, op, op.only, -1.0)


def _absolute(builder: GraphBuilder, op: Operation) -> str:
    return builder.add(op.path, "Maximum", {}, [op.only, _negative(builder, op)])


def _square(builder: GraphBuilder, op: Operation) -> str:
    power = 2.0 if op.name == "Square" else number_of(op.option("x2", 1))
    require(power in (1.0, 2.0) and op.operands[0] == op.only, op.refusal)
    return builder.add(op.path, "Multiply", {}, [op.only] * 2) if power == 2.0 else op.only


def _cast(builder: GraphBuilder, op: Operation) -> str:
    target = op.option("dtype", 1)
    require(target in FLOATS, f"it casts to {str(target)[:40]!r}, where only kinds of float keep the scores")
    return op.only


def _gelu(builder: GraphBuilder, op: Operation) -> str:
    """Add a GELU: exact, or x * sigmoid(2 * sqrt(2 / pi) * (x + 0.044715 * x ** 3))."""
    node = op.only
    if not op.option("approximate", 1, op.keras != 2):
        return builder.add(op.path, "Activation", {"activation": "gelu"}, [node])
    factor = 2 * float(np.sqrt(2 / np.pi))
    square = builder.add(op.path, "Multiply", {}, [node, node])
    inner = builder.add(op.path, "Multiply", {}, [node, _rescaled(builder, op, square, 0.044715 * factor, factor)])
    return builder.add(
        op.path, "Multiply", {}, [node, builder.add(op.path, "Activation", {"activation": "sigmoid"}, [inner])]
    )


def _leaky_relu(builder: GraphBuilder, op: Operation) -> str:
    return builder.add(op.path, "LeakyReLU", {"negative_slope": op.option("negative_slope", 1, 0.2)}, [op.only])


def _elu(builder: GraphBuilder, op: Operation) -> str:
    return builder.add(op.path, "ELU", {"alpha": op.option("alpha", 1, 1.0)}, [op.only])


def _softmax(builder: GraphBuilder, op: Operation) -> str:
    axis = op.option("axis", 1, -1)
    require(type(axis) is int and axis != 0, op.refusal)
    return builder.add(op.path, "Softmax", {"axis": axis}, [op.only])


def _unit_length(builder: GraphBuilder, op: Operation) -> str:
    axis = op.option("axis", 1, -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    require(type(axis) is int and axis != 0 and op.option("order", 2, 2) == 2, op.refusal)
    return builder.add(op.path, "UnitNormalization", {"axis": axis}, [op.only])


OPERATIONS: dict[str, Callable[[GraphBuilder, Operation], str]] = {
    **dict.fromkeys((*MERGING, "Divide", "TrueDivide"), _merged),
    **{"Clip": _clip, "Negative": _negative, "Absolute": _absolute, "Abs": _absolute, "Square": _square},
    **{"Power": _square, "Cast": _cast, "Gelu": _gelu, "LeakyRelu": _leaky_relu, "Elu": _elu, "Softmax": _softmax},
    **{"Normalize": _unit_length, "L2Normalize": _unit_length},
}
"""Arithmetic and activations with settings; `keras_rearranging.OPERATIONS` are the others."""
