"""An OpenVINO network written as an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_export import onnx_operations

MAX_BYTES = (1 << 31) - (1 << 20)
"""An ONNX file is one message of Protocol Buffers, which may have two gigabytes at most."""
IR_VERSION = 9
BATCH = "n"
INT64 = 7
"""The number of the type in ONNX."""


def write_onnx(model: Any, target: Path, metadata: Mapping[str, str]) -> None:
    """Write an ov.Model, whose inputs and results have names; only the batch may vary in shape.

    Raises ModelFolderError when it has an operation without a translation, or is too large for the format.
    """
    import onnx
    from onnx import helper, numpy_helper

    nodes = _Nodes()
    for node in model.get_ordered_ops():
        nodes.take(node)
    for port in model.outputs:
        nodes.add_result(port)
    used = {name for node in nodes.made for name in node.input}
    values = {name: array for name, array in nodes.values.items() if name in used}
    if sum(array.nbytes for array in values.values()) > MAX_BYTES:
        raise ModelFolderError("The network is larger than the two gigabytes that an ONNX file may have.")
    initializers = [numpy_helper.from_array(array, name) for name, array in values.items()]
    inputs, outputs = [_described(port) for port in model.inputs], [_described(port) for port in model.outputs]
    graph = helper.make_graph(nodes.made, "network", inputs, outputs, initializers)
    opset = helper.make_opsetid("", onnx_operations.OPSET)
    made = helper.make_model(graph, producer_name="vision-recipes", opset_imports=[opset], ir_version=IR_VERSION)
    helper.set_model_props(made, dict(metadata))
    onnx.checker.check_model(made)
    onnx.save_model(made, str(target))


@dataclass
class _Nodes:
    """Nodes and constants of an ONNX graph under construction; `names` are of the IR's tensors, by node and port."""

    made: list[Any] = field(default_factory=list)
    values: dict[str, np.ndarray] = field(default_factory=dict)
    names: dict[tuple[str, int], str] = field(default_factory=dict)

    def take(self, node: Any) -> None:
        """Add what a node of the IR does."""
        kind = node.get_type_name()
        if kind == "Result":
            return
        if kind == "Parameter":
            name = node.output(0).get_any_name()
        elif kind == "Constant":
            name = self.constant(np.asarray(node.get_data()))
        else:
            inputs = [self._name(node.input_value(place)) for place in range(len(node.inputs()))]
            try:
                name = onnx_operations.translate(node, inputs, self)
            except KeyError as err:
                raise ModelFolderError(
                    f"The network computes with {kind} in a way that has no translation to ONNX ({err}). Choose the "
                    "format openvino."
                ) from err
        self.names[node.get_name(), 0] = name

    def add_result(self, port: Any) -> None:
        """Give a result of the IR its name."""
        self.add("Identity", [self._name(port.get_node().input_value(0))], port.get_any_name())

    def add(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output."""
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
            return self.constant(onnx_operations.constant_of(output).astype(np.int64))
        return self.add("Cast", [self._name(output)], to=INT64)

    def _name(self, output: Any) -> str:
        return self.names[output.get_node().get_name(), output.get_index()]


def _described(port: Any) -> Any:
    from onnx import helper

    shape = [BATCH if side.is_dynamic else side.get_length() for side in port.get_partial_shape()]
    kind = onnx_operations.tensor_type(port.get_element_type())
    return helper.make_tensor_value_info(port.get_any_name(), kind, shape)
