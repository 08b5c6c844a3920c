"""An ONNX graph under construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

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
