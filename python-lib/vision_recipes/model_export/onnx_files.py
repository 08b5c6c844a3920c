"""An OpenVINO network written as an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_export import onnx_operations
from vision_recipes.model_export.onnx_writer import Writer, tensor_type

MAX_BYTES = (1 << 31) - (1 << 20)
"""An ONNX file is one message of Protocol Buffers, which may have two gigabytes at most."""
IR_VERSION = 9
BATCH = "n"


def write_onnx(model: Any, target: Path, metadata: Mapping[str, str]) -> None:
    """Write an ov.Model, whose inputs and results have names; only the batch may vary in shape.

    Raises ModelFolderError when it has an operation without a translation, or is too large for the format.
    """
    import onnx
    from onnx import helper, numpy_helper

    writer = Writer()
    for node in model.get_ordered_ops():
        _take(writer, node)
    for port in model.outputs:
        writer.add("Identity", [writer.name_of(port.get_node().input_value(0))], port.get_any_name())
    used = {name for node in writer.made for name in node.input}
    values = {name: array for name, array in writer.values.items() if name in used}
    if sum(array.nbytes for array in values.values()) > MAX_BYTES:
        raise ModelFolderError("The network is larger than the two gigabytes that an ONNX file may have.")
    initializers = [numpy_helper.from_array(array, name) for name, array in values.items()]
    inputs, outputs = [_described(port) for port in model.inputs], [_described(port) for port in model.outputs]
    graph = helper.make_graph(writer.made, "network", inputs, outputs, initializers)
    opset = helper.make_opsetid("", onnx_operations.OPSET)
    made = helper.make_model(graph, producer_name="vision-recipes", opset_imports=[opset], ir_version=IR_VERSION)
    helper.set_model_props(made, dict(metadata))
    onnx.checker.check_model(made)
    onnx.save_model(made, str(target))


def _take(writer: Writer, node: Any) -> None:
    """Add what a node of the IR does."""
    kind = node.get_type_name()
    if kind == "Result":
        return
    if kind == "Parameter":
        name = node.output(0).get_any_name()
    elif kind == "Constant":
        name = writer.constant(np.asarray(node.get_data()))
    else:
        inputs = [writer.name_of(output) for output in node.input_values()]
        try:
            name = onnx_operations.translate(node, inputs, writer)
        except KeyError as err:
            raise ModelFolderError(
                f"The network computes with {kind} in a way that has no translation to ONNX ({err}). Choose the "
                "format openvino."
            ) from err
    writer.names[node.get_name(), 0] = name


def _described(port: Any) -> Any:
    from onnx import helper

    shape = [BATCH if side.is_dynamic else side.get_length() for side in port.get_partial_shape()]
    kind = tensor_type(port.get_element_type())
    return helper.make_tensor_value_info(port.get_any_name(), kind, shape)
