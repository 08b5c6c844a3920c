"""The shapes of tensors in a network under translation, as far as its description tells them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod
from typing import Any

Shape = tuple[int | None, ...]
"""The sides of a tensor without its batch; None where a side is unknown."""

SPATIAL = ("Conv2D", "SeparableConv2D", "DepthwiseConv2D", "MaxPooling2D", "AveragePooling2D")


def output_shape(kind: str, settings: dict[str, Any], shapes: Sequence[Shape]) -> Shape:
    """Return the shape of a layer's output; sides that would need more than simple arithmetic are None."""
    first = shapes[0]
    if kind == "Dense":
        return (*first[:-1], settings["units"])
    if kind == "Flatten":
        return (_product(first),)
    if kind == "Reshape":
        target = tuple(settings["target_shape"])
        known, total = prod(side for side in target if side != -1), _product(first)
        return tuple((total // known if total and known else None) if side == -1 else side for side in target)
    if kind == "Permute":
        return tuple(first[axis - 1] for axis in settings["dims"])
    if kind.startswith("Global"):
        return (1,) * (len(first) - 1) + first[-1:] if settings.get("keepdims") else first[-1:]
    if kind == "Concatenate":
        return _joined(shapes, settings.get("axis", -1))
    if kind in ("Resizing", "CenterCrop"):
        return (settings["height"], settings["width"], first[-1])
    if kind in SPATIAL and len(first) == 3:
        sides = [_windowed(side, settings, axis) for axis, side in enumerate(first[:2])]
        return (*sides, _channels(kind, settings, first[-1]))
    if kind in ("ZeroPadding2D", "Cropping2D", "UpSampling2D", "Conv2DTranspose"):
        return (None, None, settings["filters"] if kind == "Conv2DTranspose" else first[-1])
    return tuple(_broadcast(sides) for sides in zip(*shapes, strict=True)) if _same_rank(shapes) else first


def _product(shape: Shape) -> int | None:
    return prod(side for side in shape if side is not None) if None not in shape else None


def _joined(shapes: Sequence[Shape], axis: int) -> Shape:
    place = axis if axis < 0 else axis - 1 - len(shapes[0])
    sides = [shape[place] for shape in shapes]
    whole = sum(side for side in sides if side is not None) if None not in sides else None
    return tuple(whole if number - len(shapes[0]) == place else side for number, side in enumerate(shapes[0]))


def _windowed(side: int | None, settings: dict[str, Any], axis: int) -> int | None:
    def of(key: str, usual: Any) -> int:
        value = settings.get(key, usual)
        return int(value[axis] if isinstance(value, list) else value)

    width = of("pool_size", 2) if "pool_size" in settings or "kernel_size" not in settings else of("kernel_size", 1)
    stride = of("strides", 1 if "kernel_size" in settings else width)
    if side is None:
        return None
    reach = (width - 1) * of("dilation_rate", 1) + 1
    return ceil(side / stride) if settings.get("padding") == "same" else (side - reach) // stride + 1


def _channels(kind: str, settings: dict[str, Any], before: int | None) -> int | None:
    if kind == "DepthwiseConv2D":
        return before * int(settings.get("depth_multiplier", 1)) if before else None
    return int(settings["filters"]) if "filters" in settings else before


def _same_rank(shapes: Sequence[Shape]) -> bool:
    return len({len(shape) for shape in shapes}) == 1


def _broadcast(sides: Sequence[int | None]) -> int | None:
    return max(side for side in sides if side is not None) if None not in sides else None
