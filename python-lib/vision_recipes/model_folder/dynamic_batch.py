"""An IR freed from the batch of one picture that Keras exports it with."""

from __future__ import annotations

from typing import Any

import numpy as np


def any_batch(model: Any) -> None:
    """Change an ov.Model with inputs of any batch in place: reshapes to a batch of one keep the batch given."""
    import openvino.opset13 as ops

    for node in model.get_ordered_ops():
        node.validate_and_infer_types()
        if node.get_type_name() != "Reshape" or node.get_input_partial_shape(0)[0].is_static:
            continue
        target = node.input_value(1).get_node()
        shape = [int(size) for size in np.ravel(target.get_data())] if target.get_type_name() == "Constant" else []
        if shape and shape[0] == 1:
            any_size = np.array([0, *shape[1:]] if -1 in shape else [-1, *shape[1:]], np.int64)
            node.input(1).replace_source_output(ops.constant(any_size).output(0))
            node.set_attribute("special_zero", True)
            node.validate_and_infer_types()
    model.validate_nodes_and_infer_types()
