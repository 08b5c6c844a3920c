"""Operations that slice, reshape, join or average tensors, read as layers that do the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vision_recipes.model_import.keras_graph import GraphBuilder
from vision_recipes.model_import.keras_layers import Layer, add_layer
from vision_recipes.model_import.keras_operands import Node, Operation
from vision_recipes.model_import.keras_shapes import Shape
from vision_recipes.strict_json import require

GREY = (0.2989, 0.5870, 0.1140)
"""Parts of red, green and blue in a grey value, as Keras and TensorFlow compute it."""

MAX_MIXED = 4096


def _mixed(builder: GraphBuilder, op: Operation, node: str, mixture: np.ndarray) -> str:
    """Add a product of the channels with a matrix (channels before, channels after), which is no layer's weights."""
    require(max(mixture.shape) <= MAX_MIXED, op.refusal)
    shape = builder.shapes[node]
    if len(shape) == 3:
        settings: dict[str, Any] = {"filters": mixture.shape[1], "kernel_size": 1, "use_bias": False}
        made, kernel = builder.add(op.path, "Conv2D", settings, [node]), mixture[None, None]
    else:
        made = builder.add(op.path, "Dense", {"units": mixture.shape[1], "use_bias": False}, [node])
        kernel = mixture
    builder.fixed[made] = [kernel.astype(np.float32)]
    return made


def _channels(builder: GraphBuilder, op: Operation, node: str) -> int:
    channels = builder.shapes[node][-1]
    if channels is None:
        raise ValueError(op.refusal)
    return channels


def _sliced(builder: GraphBuilder, op: Operation) -> str:
    """Add a slice: of channels, in any order, or of a rectangle; a new axis may come last."""
    node, key = op.only, op.option("key", 1)
    keys = list(key) if isinstance(key, list) else [key]
    if keys[-1:] == [None] and len(keys) == 1 + sum(_is_whole(item) for item in keys[:-1]):
        return _reshaped(builder, op, node, (*builder.shapes[node], 1))
    rank = len(builder.shapes[node]) + 1
    require(len(keys) - keys.count(...) <= rank and keys.count(...) < 2, op.refusal)
    if ... in keys:
        place = keys.index(...)
        keys[place : place + 1] = [slice(None)] * (rank - len(keys) + 1)
    keys += [slice(None)] * (rank - len(keys))
    if type(keys[-1]) is int and all(_is_whole(item) for item in keys[:-1]):
        channels = _channels(builder, op, node)
        require(-channels <= keys[-1] < channels, op.refusal)
        return builder.pick(node, keys[-1] % channels)
    require(all(isinstance(item, slice) for item in keys) and _is_whole(keys[0]), op.refusal)
    if not all(_is_whole(item) for item in keys[1:-1]):
        node = _cropped(builder, op, node, keys[1:-1])
    if _is_whole(keys[-1]):
        return node
    chosen = list(range(_channels(builder, op, node)))[keys[-1]]
    require(chosen, op.refusal)
    return _mixed(builder, op, node, np.eye(_channels(builder, op, node))[:, chosen])


def _is_whole(item: Any) -> bool:
    return item is ... or (isinstance(item, slice) and item in (slice(None), slice(0, None), slice(None, None, 1)))


def _cropped(builder: GraphBuilder, op: Operation, node: str, keys: list[slice]) -> str:
    sides = builder.shapes[node][:-1]
    require(len(sides) == 2 and all(item.step in (None, 1) for item in keys), op.refusal)
    amounts = []
    for item, side in zip(keys, sides, strict=True):
        if side is None:
            raise ValueError(op.refusal)
        start, stop, _step = item.indices(side)
        require(start < stop, op.refusal)
        amounts.append([start, side - stop])
    cropped = builder.add(op.path, "Cropping2D", {"cropping": amounts}, [node])
    builder.shapes[cropped] = (
        *(s - sum(a) if s else s for s, a in zip(sides, amounts, strict=True)),
        builder.shapes[node][-1],
    )
    return cropped


def _reshaped(builder: GraphBuilder, op: Operation, node: str, shape: Shape) -> str:
    """Add a reshaping to a shape (without the batch), of which one side may be unknown."""
    require(shape and sum(side is None for side in shape) <= 1, op.refusal)
    if len(shape) == 1:
        return builder.add(op.path, "Flatten", {}, [node])
    return builder.add(op.path, "Reshape", {"target_shape": [-1 if side is None else side for side in shape]}, [node])


def _reshape(builder: GraphBuilder, op: Operation) -> str:
    target = op.option("newshape", 1)
    numbers = isinstance(target, list) and len(target) > 1 and all(type(side) is int or side is None for side in target)
    require(numbers and target[0] in (-1, None), op.refusal)
    return _reshaped(builder, op, op.only, tuple(None if side == -1 else side for side in target[1:]))


def _axes(builder: GraphBuilder, op: Operation, value: Any) -> list[int]:
    """Return axes as sorted positive numbers, the batch being 0."""
    rank = len(builder.shapes[op.only]) + 1
    axes = value if isinstance(value, list) else [value]
    require(all(type(axis) is int and -rank <= axis < rank for axis in axes), op.refusal)
    return sorted(axis % rank for axis in axes)


def _squeeze(builder: GraphBuilder, op: Operation) -> str:
    node, shape = op.only, builder.shapes[op.only]
    axes = _axes(builder, op, op.option("axis", 1))
    return _reshaped(builder, op, node, tuple(side for axis, side in enumerate(shape, 1) if axis not in axes))


def _expanded(builder: GraphBuilder, op: Operation) -> str:
    node, shape, axis = op.only, list(builder.shapes[op.only]), op.option("axis", 1)
    rank = len(shape) + 2
    require(type(axis) is int and axis % rank > 0, op.refusal)
    if node in builder.picked and axis in (-1, rank - 1):
        return _chosen(builder, op, [node])
    shape.insert(axis % rank - 1, 1)
    return _reshaped(builder, op, node, tuple(shape))


def _transpose(builder: GraphBuilder, op: Operation) -> str:
    axes = op.option("axes", 1)
    require(isinstance(axes, list) and axes[:1] == [0] and sorted(axes) == list(range(len(axes))), op.refusal)
    return builder.add(op.path, "Permute", {"dims": axes[1:]}, [op.only])


def _reduced(builder: GraphBuilder, op: Operation) -> str:
    """Add a mean or maximum over all places, or a mean over the channels."""
    node, keep = op.only, bool(op.option("keepdims", 2, False))
    axes, rank = _axes(builder, op, op.option("axis", 1)), len(builder.shapes[op.only]) + 1
    if axes == [rank - 1] and op.name == "Mean" and keep:
        channels = _channels(builder, op, node)
        return _mixed(builder, op, node, np.full((channels, 1), 1 / channels))
    dimensions = {(4, (1, 2)): "2D", (3, (1,)): "1D"}.get((rank, tuple(axes)), "")
    require(dimensions, op.refusal)
    kind = {"Mean": "GlobalAveragePooling", "Max": "GlobalMaxPooling"}[op.name] + dimensions
    return builder.add(op.path, kind, {"keepdims": keep}, [node])


def _concatenated(builder: GraphBuilder, op: Operation) -> str:
    parts, axis = op.operands[0], op.option("axis", 1, -1)
    nodes = isinstance(parts, list) and all(isinstance(part, Node) for part in parts) and len(parts) > 1
    require(nodes and type(axis) is int and axis != 0, op.refusal)
    return builder.add(op.path, "Concatenate", {"axis": axis}, parts)


def _stacked(builder: GraphBuilder, op: Operation) -> str:
    """Add the channels of one tensor, taken out one by one, in their new order."""
    parts, axis = op.operands[0], op.option("axis", 1, 0)
    require(isinstance(parts, list) and parts and all(part in builder.picked for part in parts), op.refusal)
    require(axis in (-1, len(builder.shapes[parts[0]]) + 1), op.refusal)
    return _chosen(builder, op, parts)


def _chosen(builder: GraphBuilder, op: Operation, parts: list[str]) -> str:
    sources = {builder.picked[part][0] for part in parts}
    require(len(sources) == 1, op.refusal)
    (node,) = sources
    return _mixed(
        builder, op, node, np.eye(_channels(builder, op, node))[:, [builder.picked[part][1] for part in parts]]
    )


def _padded(builder: GraphBuilder, op: Operation) -> str:
    amounts, mode = op.option("pad_width", 1), str(op.option("mode", 2, "constant")).lower()
    zeros = mode == "constant" and op.option("constant_values", 3, 0) in (0, None)
    image = isinstance(amounts, list) and len(amounts) == 4 and amounts[0] == amounts[3] == [0, 0]
    require(zeros and image, op.refusal)
    return builder.add(op.path, "ZeroPadding2D", {"padding": amounts[1:3]}, [op.only])


def _resized(builder: GraphBuilder, op: Operation) -> str:
    size, method = op.option("size", 1), str(op.option("interpolation", 2, "bilinear")).lower()
    sides = isinstance(size, list) and len(size) == 2 and all(type(side) is int for side in size)
    require(sides and not op.options.get("preserve_aspect_ratio"), op.refusal)
    keys = ("antialias", "crop_to_aspect_ratio", "pad_to_aspect_ratio")
    config = {"height": size[0], "width": size[1], "interpolation": method} | {key: op.options.get(key) for key in keys}
    return add_layer(builder, Layer("Resizing", config, op.path, [op.only], op.keras))


def _grey(builder: GraphBuilder, op: Operation) -> str:
    return _mixed(builder, op, op.only, np.array(GREY)[:, None])


def _three_times(builder: GraphBuilder, op: Operation) -> str:
    return _mixed(builder, op, op.only, np.ones((1, 3)))


def _repeated(builder: GraphBuilder, op: Operation) -> str:
    times, axes = op.option("repeats", 1), _axes(builder, op, op.option("axis", 2))
    fits = type(times) is int and 1 <= times <= MAX_MIXED and axes == [len(builder.shapes[op.only])]
    require(fits, op.refusal)
    return _mixed(builder, op, op.only, np.repeat(np.eye(_channels(builder, op, op.only)), times, axis=1))


OPERATIONS: dict[str, Callable[[GraphBuilder, Operation], str]] = {
    **{"GetItem": _sliced, "Reshape": _reshape, "Squeeze": _squeeze, "ExpandDims": _expanded, "Transpose": _transpose},
    **{
        "Mean": _reduced,
        "Max": _reduced,
        "Concatenate": _concatenated,
        "Stack": _stacked,
        "Pad": _padded,
        "Resize": _resized,
    },
    **{"RGBToGrayscale": _grey, "GrayscaleToRGB": _three_times, "Repeat": _repeated},
}
