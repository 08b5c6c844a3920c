"""An IR computed channels first, as processors like it, though Keras describes its networks channels last.

Keras surrounds every convolution and normalisation with transpositions. Left there, they cost more than the
convolutions themselves and keep the normalisation from being folded into the weights. Here each transposition moves
behind the operations that follow it, until it meets its opposite and both go, or a result. Values and names stay.
"""

from __future__ import annotations

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
class _Turned:
    """A tensor that is `source` with its axes in another order: axis i is axis order[i] of the source."""

    source: Any
    order: tuple[int, ...]


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
        elif node.inputs() and (turned := _turned(node.input_value(0))) is not None:
            if kind == "Transpose":
                _merge(node, turned)
            elif _passes_through(node, kind, turned.order):
                _feed(node, [turned.source], turned.order)
            elif kind == "Pad":
                _move_behind_padding(node, turned)
            elif kind in _REDUCTIONS:
                _move_behind_reduction(node, turned)
    for node in model.get_ordered_ops():
        if node.get_type_name() == "BatchNormInference":
            _simplify_normalisation(node)
    model.validate_nodes_and_infer_types()


def _simplify_normalisation(node: Any) -> None:
    """Make one factor and one summand per channel of the four constants of a batch normalisation."""
    import openvino.opset13 as ops

    constants = [_constant(port.get_source_output()) for port in node.inputs()[1:]]
    if any(values is None for values in constants):
        return
    gamma, beta, mean, variance = (np.asarray(values, np.float64) for values in constants)
    factor = gamma / np.sqrt(variance + node.get_attributes()["epsilon"])
    shape = (1, -1) + (1,) * (node.get_output_partial_shape(0).rank.get_length() - 2)
    scaled = ops.multiply(node.input_value(0), factor.reshape(shape).astype(np.float32))
    _replace(node.output(0), ops.add(scaled, (beta - mean * factor).reshape(shape).astype(np.float32)).output(0))


def _turned(output: Any) -> _Turned | None:
    node = output.get_node()
    if node.get_type_name() != "Transpose":
        return None
    order = _constant(node.input_value(1))
    return None if order is None or order.size != 4 else _Turned(node.input_value(0), tuple(map(int, order.ravel())))


def _constant(output: Any) -> np.ndarray | None:
    node = output.get_node()
    return np.asarray(node.get_data()) if node.get_type_name() == "Constant" else None


def _replace(output: Any, by: Any) -> None:
    """Give the consumers of a tensor, and its names, to another one."""
    for consumer in list(output.get_target_inputs()):
        consumer.replace_source_output(by)
    names = set(output.get_names())
    if names:
        output.set_names(set())
        by.get_tensor().add_names(names)


def _transposed(output: Any, order: tuple[int, ...]) -> Any:
    import openvino.opset13 as ops

    return ops.transpose(output, np.array(order)).output(0)


def _merge(transpose: Any, turned: _Turned) -> None:
    """Make one of two transpositions in a row, or none of two that undo each other."""
    second = _constant(transpose.input_value(1))
    if second is None:
        return
    order = tuple(turned.order[axis] for axis in second.ravel())
    if order == (0, 1, 2, 3):
        _replace(transpose.output(0), turned.source)
    else:
        _replace(transpose.output(0), _transposed(turned.source, order))


def _feed(node: Any, sources: list[Any], order: tuple[int, ...]) -> None:
    """Feed a node's first inputs from the sources, and transpose what it gives instead."""
    for port, source in zip(node.inputs(), sources, strict=False):
        port.replace_source_output(source)
    node.validate_and_infer_types()
    output = node.output(0)
    consumers, names = list(output.get_target_inputs()), set(output.get_names())
    back = _transposed(output, order)
    for consumer in consumers:
        consumer.replace_source_output(back)
    if names:
        output.set_names(set())
        back.set_names(names)


def _turned_back(output: Any, order: tuple[int, ...]) -> Any:
    """Return any operand with its axes in the sources' order; None when it cannot be turned."""
    import openvino.opset13 as ops

    turned = _turned(output)
    if turned is not None and turned.order == order:
        return turned.source
    inverse = tuple(order.index(axis) for axis in range(4))
    values = _constant(output)
    if values is not None and values.ndim <= 4:
        full = values.reshape((1,) * (4 - values.ndim) + values.shape)
        return ops.constant(np.ascontiguousarray(full.transpose(inverse))).output(0)
    rank = output.get_partial_shape().rank
    return _transposed(output, inverse) if rank.is_static and rank.get_length() == 4 else None


def _move_behind_two(node: Any) -> None:
    found = [turned for port in node.inputs() if (turned := _turned(port.get_source_output())) is not None]
    if not found:
        return
    sources = [_turned_back(port.get_source_output(), found[0].order) for port in node.inputs()]
    if all(source is not None for source in sources):
        _feed(node, sources, found[0].order)


def _move_behind_concatenation(node: Any) -> None:
    found = [_turned(port.get_source_output()) for port in node.inputs()]
    orders = {turned.order if turned else None for turned in found}
    order = orders.pop()
    if order is None or orders:
        return
    node.set_attribute("axis", order[node.get_attributes()["axis"] % 4])
    _feed(node, [turned.source for turned in found if turned], order)


def _move_behind_padding(node: Any, turned: _Turned) -> None:
    import openvino.opset13 as ops

    amounts = [_constant(port.get_source_output()) for port in node.inputs()[1:3]]
    inverse = [turned.order.index(axis) for axis in range(4)]
    sources = [turned.source]
    for amount in amounts:
        if amount is None:
            return
        sources.append(ops.constant(amount.ravel()[inverse]).output(0))
    _feed(node, sources, turned.order)


def _move_behind_reduction(node: Any, turned: _Turned) -> None:
    import openvino.opset13 as ops

    axes = _constant(node.input_value(1))
    if axes is None:
        return
    reduced = [int(axis) % 4 for axis in axes.ravel()]
    left = [turned.order[axis] for axis in range(4) if axis not in reduced]
    moved = ops.constant(np.array(sorted(turned.order[axis] for axis in reduced), np.int64)).output(0)
    if node.get_attributes()["keep_dims"]:
        _feed(node, [turned.source, moved], turned.order)
    elif left == sorted(left):
        node.input(0).replace_source_output(turned.source)
        node.input(1).replace_source_output(moved)


def _passes_through(node: Any, kind: str, order: tuple[int, ...]) -> bool:
    """Return whether an operation does the same to each number wherever it stands (or to each channel, kept)."""
    if kind == "BatchNormInference":
        return order[:2] == (0, 1)
    others = [_constant(port.get_source_output()) for port in node.inputs()[1:]]
    return kind in _ONE_INPUT and all(values is not None and values.size == 1 for values in others)
