"""An IR computed channels first, which is faster on CPUs, though Keras describes its networks channels last.

Keras surrounds every convolution and normalisation with transpositions. Left there, they cost more than the
convolutions themselves and keep the normalisation from being folded into the weights. Here each transposition moves
behind the operations that follow it, until it meets its opposite and both go, or a result. Values and names stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_ONE_INPUT = {
    *("Abs", "Clamp", "Convert", "Elu", "Erf", "Exp", "Gelu", "HSigmoid", "HSwish", "HardSigmoid", "Log", "Mish"),
    *("Negative", "Relu", "Sigmoid", "SoftPlus", "SoftSign", "Sqrt", "Swish", "Tanh"),
}
_TWO_INPUTS = {"Add", "Divide", "Maximum", "Minimum", "Multiply", "Power", "SquaredDifference", "Subtract"}
_REDUCTIONS = {"ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum"}


@dataclass(frozen=True)
class _Transposed:
    """A tensor that is `source` with its axes in another order: axis i is axis order[i] of the source."""

    source: Any
    order: tuple[int, ...]

    def inverse(self) -> list[int]:
        """Return the order that gives the source from the tensor."""
        return [self.order.index(axis) for axis in range(4)]


def channels_first(model: Any) -> None:
    """Change an ov.Model in place so that its spatial operations follow each other without transpositions."""
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind == "Convert" and node.get_input_element_type(0) == node.get_output_element_type(0):
            _replace(node.output(0), node.input_value(0))
        elif kind in _TWO_INPUTS:
            _move_behind_two(node)
        elif kind == "Concat":
            _move_behind_concatenation(node)
        elif node.inputs() and (first := _transposed(node.input_value(0))) is not None:
            if kind == "Transpose":
                _merge(node, first)
            elif _passes_through(node, kind, first.order):
                _feed(node, [first.source], first.order)
            elif kind == "Pad":
                _move_behind_padding(node, first)
            elif kind in _REDUCTIONS:
                _move_behind_reduction(node, first)
    for node in model.get_ordered_ops():
        if node.get_type_name() == "BatchNormInference":
            _simplify_normalisation(node)
        elif node.get_type_name() == "Interpolate":
            _resize_to_nearest_as_keras(node)
    model.validate_nodes_and_infer_types()


def _simplify_normalisation(node: Any) -> None:
    """Make one factor and one summand per channel of the four constants of a batch normalisation."""
    import openvino.opset13 as ops

    constants = [_constant(output) for output in node.input_values()[1:]]
    if any(values is None for values in constants):
        return
    gamma, beta, mean, variance = (np.asarray(values, np.float64) for values in constants)
    factor = gamma / np.sqrt(variance + node.get_attributes()["epsilon"])
    shape = (1, -1) + (1,) * (node.get_output_partial_shape(0).rank.get_length() - 2)
    scaled = ops.multiply(node.input_value(0), factor.reshape(shape).astype(np.float32))
    _replace(node.output(0), ops.add(scaled, (beta - mean * factor).reshape(shape).astype(np.float32)).output(0))


def _resize_to_nearest_as_keras(node: Any) -> None:
    """Make a resizing to the nearest pixel take the one that TensorFlow takes; the one before it comes from Keras."""
    if node.get_attributes()["mode"] == "nearest":
        node.set_attribute("coordinate_transformation_mode", "half_pixel")
        node.set_attribute("nearest_mode", "round_prefer_ceil")


def _transposed(output: Any) -> _Transposed | None:
    node = output.get_node()
    if node.get_type_name() != "Transpose":
        return None
    order = _constant(node.input_value(1))
    if order is None or order.size != 4:
        return None
    return _Transposed(node.input_value(0), tuple(map(int, order.ravel())))


def _constant(output: Any) -> np.ndarray | None:
    node = output.get_node()
    return np.asarray(node.get_data()) if node.get_type_name() == "Constant" else None


def _transpose(output: Any, order: Sequence[int]) -> Any:
    import openvino.opset13 as ops

    return ops.transpose(output, np.array(order)).output(0)


def _new_constant(values: np.ndarray) -> Any:
    import openvino.opset13 as ops

    return ops.constant(np.ascontiguousarray(values)).output(0)


def _replace(output: Any, by: Any) -> None:
    """Give the consumers of a tensor, and its names, to another one, which may be made of it."""
    names, maker = set(output.get_names()), by.get_node().get_name()
    for consumer in list(output.get_target_inputs()):
        if consumer.get_node().get_name() != maker:
            consumer.replace_source_output(by)
    if names:
        output.set_names(set())
        by.get_tensor().add_names(names)


def _merge(transpose: Any, first: _Transposed) -> None:
    """Make one of two transpositions in a row, or none of two that undo each other."""
    second = _constant(transpose.input_value(1))
    if second is not None:
        order = tuple(first.order[axis] for axis in second.ravel())
        merged = first.source if order == (0, 1, 2, 3) else _transpose(first.source, order)
        _replace(transpose.output(0), merged)


def _feed(node: Any, sources: list[Any], order: tuple[int, ...]) -> None:
    """Feed a node's first inputs from the sources, and transpose its output instead."""
    for port, source in zip(node.inputs(), sources, strict=False):
        port.replace_source_output(source)
    node.validate_and_infer_types()
    _replace(node.output(0), _transpose(node.output(0), order))


def _as_source(output: Any, first: _Transposed) -> Any:
    """Return any operand with its axes in the order of the source of `first`; None when that is not possible."""
    other = _transposed(output)
    if other is not None and other.order == first.order:
        return other.source
    values = _constant(output)
    if values is not None and values.ndim <= 4:
        return _new_constant(values.reshape((1,) * (4 - values.ndim) + values.shape).transpose(first.inverse()))
    rank = output.get_partial_shape().rank
    return _transpose(output, first.inverse()) if rank.is_static and rank.get_length() == 4 else None


def _move_behind_two(node: Any) -> None:
    first = next(filter(None, map(_transposed, node.input_values())), None)
    if first is not None:
        sources = [_as_source(output, first) for output in node.input_values()]
        if all(source is not None for source in sources):
            _feed(node, sources, first.order)


def _move_behind_concatenation(node: Any) -> None:
    found = [_transposed(output) for output in node.input_values()]
    first = found[0]
    if first is not None and all(other is not None and other.order == first.order for other in found):
        node.set_attribute("axis", first.order[node.get_attributes()["axis"] % 4])
        _feed(node, [other.source for other in found if other], first.order)


def _move_behind_padding(node: Any, first: _Transposed) -> None:
    amounts = [_constant(output) for output in node.input_values()[1:3]]
    if all(amount is not None for amount in amounts):
        moved = [_new_constant(amount.ravel()[first.inverse()]) for amount in amounts if amount is not None]
        _feed(node, [first.source, *moved], first.order)


def _move_behind_reduction(node: Any, first: _Transposed) -> None:
    axes = _constant(node.input_value(1))
    if axes is None:
        return
    reduced = [int(axis) % 4 for axis in axes.ravel()]
    remaining = [first.order[axis] for axis in range(4) if axis not in reduced]
    moved = _new_constant(np.array(sorted(first.order[axis] for axis in reduced), np.int64))
    if node.get_attributes()["keep_dims"]:
        _feed(node, [first.source, moved], first.order)
    elif remaining == sorted(remaining):
        node.input(0).replace_source_output(first.source)
        node.input(1).replace_source_output(moved)


def _passes_through(node: Any, kind: str, order: tuple[int, ...]) -> bool:
    """Return whether an operation does the same to each number wherever it is (or to each channel, if that stays)."""
    if kind == "BatchNormInference":
        return order[:2] == (0, 1)
    others = [_constant(output) for output in node.input_values()[1:]]
    return kind in _ONE_INPUT and all(values is not None and values.size == 1 for values in others)
