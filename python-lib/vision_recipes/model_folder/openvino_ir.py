"""The OpenVINO IR of a model: raw RGB pixels in, normalisation inside, scores and every extractable layer out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.preprocessing import LUMINANCE, Preprocessing

PIXELS, EXTRA, SCORES = "pixels", "extra", "scores"
"""Names of the IR's inputs and of its first result."""


def with_normalisation(model: Any, preprocessing: Preprocessing, *, layout: str = "NHWC", batch: int = -1) -> Any:
    """Return an ov.Model that takes raw RGB pixels in place of normalised ones, float32 (n, height, width, 3).

    `layout` is that of the given model's pictures, "NHWC" or "NCHW"; `batch` is -1 for any number of pictures.
    """
    import openvino as ov
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    steps.input(0).tensor().set_element_type(ov.Type.f32).set_layout(ov.Layout("NHWC"))
    steps.input(0).model().set_layout(ov.Layout(layout))
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
    shapes = {0: ov.PartialShape([batch, preprocessing.height, preprocessing.width, 3])}
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
    """Change an ov.Model with inputs of any batch in place: what was made for a batch of one keeps the batch given.

    Keras exports every network for a batch of one picture, and other exporters do so unless they are asked.
    """
    for node in model.get_ordered_ops():
        before = node.get_output_partial_shape(0) if node.get_output_size() else None
        node.validate_and_infer_types()
        if node.get_type_name() == "Reshape" and node.get_input_partial_shape(0).is_dynamic:
            _reshape_any(node, before)
        elif node.get_type_name() == "Concat":
            _repeat_constants(node)
    model.validate_nodes_and_infer_types()


def _reshape_any(node: Any, before: Any) -> None:
    """Let a Reshape to a constant shape keep the batch; `before` is the shape that it had for one picture, if any."""
    import openvino.opset13 as ops

    target = node.input_value(1).get_node()
    shape = [int(size) for size in np.ravel(target.get_data())] if target.get_type_name() == "Constant" else []
    if len(shape) > 1 and shape[0] > 1 and before.is_static:
        shape = [-1, *list(before.to_shape())[1:]]  # the first axis holds the batch and another one
    elif shape and shape[0] == 1:
        shape = [0, *shape[1:]] if -1 in shape else [-1, *shape[1:]]
    else:
        return
    node.input(1).replace_source_output(ops.constant(np.array(shape, np.int64)).output(0))
    node.set_attribute("special_zero", True)
    node.validate_and_infer_types()


def _repeat_constants(node: Any) -> None:
    """Repeat constants of a batch of one that are joined with values of any batch, as the class token of a ViT is."""
    import openvino.opset13 as ops

    values = node.input_values()
    given = next((value for value in values if value.get_partial_shape()[0].is_dynamic), None)
    if given is None or node.get_attributes()["axis"] == 0:
        return
    batch = ops.gather(ops.shape_of(given), np.array([0]), np.int64(0))
    for port, value in zip(node.inputs(), values, strict=True):
        shape = value.get_partial_shape()
        if value.get_node().get_type_name() == "Constant" and shape[0].get_length() == 1:
            rest = np.array(list(shape.to_shape())[1:], np.int64)
            port.replace_source_output(ops.broadcast(value, ops.concat([batch, ops.constant(rest)], 0)).output(0))
    node.validate_and_infer_types()


def write_ir(model: Any, target: Path) -> None:
    """Write an ov.Model as .xml and .bin in full precision; the same model gives the same bytes in every process."""
    import openvino as ov

    model.set_friendly_name("network")
    for number, operation in enumerate(model.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_type_name()}_{number}")
    ov.save_model(model, target, compress_to_fp16=False)
