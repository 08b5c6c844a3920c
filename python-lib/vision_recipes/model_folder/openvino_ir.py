"""The OpenVINO IR of a model: raw RGB pixels in, normalisation inside, scores and every extractable layer out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.preprocessing import LUMINANCE, Preprocessing

PIXELS, EXTRA, SCORES = "pixels", "extra", "scores"
"""Names of the IR's inputs and of its first result."""


def with_normalisation(model: Any, preprocessing: Preprocessing) -> Any:
    """Return an ov.Model that takes raw RGB pixels in place of normalised ones, float32 (n, height, width, 3)."""
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    steps.input(0).tensor().set_element_type(ov.Type.f32).set_layout(ov.Layout("NHWC"))
    steps.input(0).model().set_layout(ov.Layout("NHWC"))
    if preprocessing.channels == "bgr":
        steps.input(0).preprocess().reverse_channels()
    if any(preprocessing.mean):
        steps.input(0).preprocess().mean(list(preprocessing.mean))
    if set(preprocessing.std) != {1.0}:
        steps.input(0).preprocess().scale(list(preprocessing.std))
    model = steps.build()
    if preprocessing.channels == "grey":
        _take_colour(model)
    for port, name in zip(model.inputs, (PIXELS, EXTRA), strict=False):
        port.get_tensor().set_names({name})
        port.get_node().set_friendly_name(name)
    shapes = {0: ov.PartialShape([-1, preprocessing.height, preprocessing.width, 3])}
    if len(model.inputs) > 1:
        shapes[1] = ov.PartialShape([-1, model.inputs[1].get_partial_shape()[1]])
    model.reshape(shapes)
    return model


def _take_colour(model: Any) -> None:
    """Change an ov.Model whose first input is grey in place: it takes RGB, float32 (n, height, width, 3)."""
    import openvino.opset13 as ops

    grey = model.get_parameters()[0]
    _batch, height, width, _channel = grey.get_partial_shape()
    colour = ops.parameter([-1, height.get_length(), width.get_length(), 3], np.float32)
    weighted = ops.multiply(colour, np.array(LUMINANCE, np.float32) / 65536)
    values = ops.floor(ops.add(ops.reduce_sum(weighted, np.array([3]), True), np.float32(0.5)))
    for target in grey.output(0).get_target_inputs():
        target.replace_source_output(values.output(0))
    model.replace_parameter(0, colour)


def any_batch(model: Any) -> None:
    """Change an ov.Model with inputs of any batch in place: reshapes to a batch of one keep the batch given.

    Keras exports every network for a batch of one picture.
    """
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


def write_ir(model: Any, target: Path) -> None:
    """Write an ov.Model as .xml and .bin in full precision; the same model gives the same bytes in every process."""
    import openvino as ov

    model.set_friendly_name("network")
    for number, operation in enumerate(model.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_type_name()}_{number}")
    ov.save_model(model, target, compress_to_fp16=False)
