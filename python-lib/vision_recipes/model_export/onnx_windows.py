"""Convolutions and poolings of an OpenVINO IR as ONNX nodes: kernels, strides and paddings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from vision_recipes.model_export.onnx_writer import Writer, constant_of


def convolution(node: Any, inputs: list[str], writer: Writer) -> str:
    """Add a convolution, also one in groups."""
    kernel, groups = constant_of(node.input_value(1)), 1
    if node.get_type_name() == "GroupConvolution":
        groups, kernel = kernel.shape[0], kernel.reshape(-1, *kernel.shape[2:])
    given = _window(node.get_attributes(), kernel.shape[2:]) | {"pads": _pads(node, kernel.shape[2:])}
    return writer.add("Conv", [inputs[0], writer.constant(kernel)], group=groups, **given)


def _window(attributes: dict[str, Any], kernel: Sequence[int]) -> dict[str, Any]:
    dilations = list(attributes.get("dilations", [1] * len(kernel)))
    return {"kernel_shape": list(kernel), "strides": list(attributes["strides"]), "dilations": dilations}


def _sides(shape: Any) -> list[int]:
    """Return the spatial sides of a partial shape (n, channels, …)."""
    return [side.get_length() for side in list(shape)[2:]]


def _pads(node: Any, kernel: Sequence[int]) -> list[int]:
    """Return how much is added before each spatial side, then after each."""
    attributes, sides = node.get_attributes(), _sides(node.get_input_partial_shape(0))
    if attributes["auto_pad"] == "explicit":
        return [*attributes["pads_begin"], *attributes["pads_end"]]
    if attributes["auto_pad"] == "valid":
        return [0] * 2 * len(sides)
    window = _window(attributes, kernel)
    smaller, larger = [], []
    for side, width, step, gap in zip(sides, kernel, window["strides"], window["dilations"], strict=True):
        total = max((math.ceil(side / step) - 1) * step + (width - 1) * gap + 1 - side, 0)
        smaller.append(total // 2)
        larger.append(total - total // 2)
    return smaller + larger if attributes["auto_pad"] == "same_upper" else larger + smaller


def transposed_convolution(node: Any, inputs: list[str], writer: Writer) -> str:
    """Add a transposed convolution."""
    kernel, attributes = constant_of(node.input_value(1)), node.get_attributes()
    window = _window(attributes, kernel.shape[2:])
    sides = zip(_sides(node.get_input_partial_shape(0)), _sides(node.get_output_partial_shape(0)), strict=True)
    before, after, added = [], [], []
    for axis, (side, output_side) in enumerate(sides):
        step, gap = window["strides"][axis], window["dilations"][axis]
        surplus = (side - 1) * step + (kernel.shape[axis + 2] - 1) * gap + 1 - output_side
        if attributes["auto_pad"] == "explicit":
            before.append(attributes["pads_begin"][axis])
            after.append(attributes["pads_end"][axis])
            added.append(max(before[-1] + after[-1] - surplus, 0))
        else:
            cut = max(surplus, 0)
            before.append(cut // 2 if attributes["auto_pad"] == "same_lower" else cut - cut // 2)
            after.append(cut - before[-1])
            added.append(max(-surplus, 0))
    given = window | {"pads": before + after, "output_padding": added}
    return writer.add("ConvTranspose", [inputs[0], writer.constant(kernel)], **given)


def pool(node: Any, inputs: list[str], writer: Writer) -> str:
    """Add a maximum or average pooling."""
    attributes, kernel = node.get_attributes(), [int(side) for side in node.get_attributes()["kernel"]]
    given = _window(attributes, kernel) | {"pads": _pads(node, kernel)}
    given["ceil_mode"] = int(attributes["rounding_type"] != "floor")
    if node.get_type_name() == "MaxPool":
        return writer.add("MaxPool", inputs[:1], **given)
    del given["dilations"]
    return writer.add("AveragePool", inputs[:1], count_include_pad=int(not attributes["exclude-pad"]), **given)
