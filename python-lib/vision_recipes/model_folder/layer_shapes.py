"""The shapes of a layer's output and variables by its kind and settings, computed without a framework.

Shapes are without the batch. A rule raises ValueError for settings or inputs that Keras would refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from vision_recipes.model_folder.layer_settings import (
    Settings,
    Shape,
    axis_of,
    count_of,
    edges_of,
    is_same,
    pair_of,
    whole_of,
)
from vision_recipes.strict_json import require


@dataclass(frozen=True)
class LayerShape:
    """What a layer gives for one picture, its variables in Keras's order, and the multiplications that it takes."""

    output: Shape
    variables: tuple[Shape, ...] = ()
    multiplications: int = 0


Rule = Callable[[Settings, list[Shape]], LayerShape]


def _convolution(settings: Settings, inputs: list[Shape]) -> LayerShape:
    spatial, channels = _picture(inputs)
    kernel, filters, groups = (
        pair_of(settings, "kernel_size"),
        count_of(settings, "filters"),
        count_of(settings, "groups", 1),
    )
    require(channels % groups == 0 and filters % groups == 0, f"{channels} channels are not {groups} groups")
    weights = (*kernel, channels // groups, filters)
    output = (*_windows(settings, spatial, kernel), filters)
    return LayerShape(output, (weights, *_bias(settings, filters)), prod(output) * prod(weights[:3]))


def _depthwise_convolution(settings: Settings, inputs: list[Shape]) -> LayerShape:
    spatial, channels = _picture(inputs)
    kernel, each = pair_of(settings, "kernel_size"), count_of(settings, "depth_multiplier", 1)
    output = (*_windows(settings, spatial, kernel), channels * each)
    return LayerShape(output, ((*kernel, channels, each), *_bias(settings, channels * each)), prod(output + kernel))


def _separable_convolution(settings: Settings, inputs: list[Shape]) -> LayerShape:
    first = _depthwise_convolution({**settings, "use_bias": False}, inputs)
    filters, wide = count_of(settings, "filters"), first.output[-1]
    output = (*first.output[:-1], filters)
    variables = (*first.variables, (1, 1, wide, filters), *_bias(settings, filters))
    return LayerShape(output, variables, first.multiplications + prod(output) * wide)


def _transposed_convolution(settings: Settings, inputs: list[Shape]) -> LayerShape:
    spatial, channels = _picture(inputs)
    kernel, filters = pair_of(settings, "kernel_size"), count_of(settings, "filters")
    strides, dilation = pair_of(settings, "strides", 1), pair_of(settings, "dilation_rate", 1)
    same = is_same(settings)
    more = None if settings.get("output_padding") is None else pair_of(settings, "output_padding", low=0)
    sides = []
    for place, side in enumerate(spatial):
        stride, reach = strides[place], (kernel[place] - 1) * dilation[place] + 1
        if same:
            sides.append(side * stride if more is None else (side - 1) * stride + reach % 2 + more[place])
        else:
            extra = max(reach, stride) - reach if more is None else more[place]
            sides.append((side - 1) * stride + reach + extra)
    variables = ((*kernel, filters, channels), *_bias(settings, filters))
    return LayerShape((*sides, filters), variables, prod(spatial) * prod(variables[0]))


def _dense(settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    units = count_of(settings, "units")
    variables = ((shape[-1], units), *_bias(settings, units))
    return LayerShape((*shape[:-1], units), variables, prod(shape) * units)


def _batch_normalization(settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    count = sum(bool(settings.get(key, True)) for key in ("scale", "center")) + 2
    return LayerShape(shape, ((shape[axis_of(settings.get("axis", -1), shape)],),) * count)


def _other_normalization(settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    axes = settings.get("axis", -1)
    kept = tuple(shape[axis_of(axis, shape)] for axis in (sorted(axes) if isinstance(axes, list) else [axes]))
    return LayerShape(shape, (kept,) * sum(bool(settings.get(key, True)) for key in ("scale", "center")))


def _normalization(settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    if settings.get("mean") is not None:
        return LayerShape(shape)
    axes = settings.get("axis", -1)
    listed = [] if axes is None else axes if isinstance(axes, list) else [axes]
    kept = tuple(shape[place] for place in sorted(axis_of(axis, shape) for axis in listed))
    return LayerShape(shape, (kept, kept, ()))


def _parametric_relu(settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    shared = settings.get("shared_axes") or []
    places = {axis_of(axis, shape) for axis in (shared if isinstance(shared, list) else [shared])}
    return LayerShape(shape, (tuple(1 if place in places else side for place, side in enumerate(shape)),))


def _pooling(settings: Settings, inputs: list[Shape]) -> LayerShape:
    spatial, channels = _picture(inputs)
    pool = pair_of(settings, "pool_size", 2)
    strides = pool if settings.get("strides") is None else pair_of(settings, "strides")
    output = (*_windows({**settings, "strides": list(strides)}, spatial, pool), channels)
    return LayerShape(output, (), prod(output + pool))


def _global_pooling(settings: Settings, inputs: list[Shape]) -> LayerShape:
    _spatial, channels = _picture(inputs)
    return LayerShape((1, 1, channels) if settings.get("keepdims") else (channels,))


def _global_pooling_of_a_sequence(settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    require(len(shape) == 2, f"its input of shape {shape} is not (steps, channels)")
    return LayerShape((1, shape[1]) if settings.get("keepdims") else (shape[1],))


def _resizing(settings: Settings, inputs: list[Shape]) -> LayerShape:
    _spatial, channels = _picture(inputs)
    return LayerShape((count_of(settings, "height"), count_of(settings, "width"), channels))


def _padding(settings: Settings, inputs: list[Shape]) -> LayerShape:
    spatial, channels = _picture(inputs)
    edges = edges_of(settings.get("padding", 1))
    return LayerShape((*(side + sum(edge) for side, edge in zip(spatial, edges, strict=True)), channels))


def _cropping(settings: Settings, inputs: list[Shape]) -> LayerShape:
    spatial, channels = _picture(inputs)
    edges = edges_of(settings.get("cropping", 0))
    return LayerShape((*(side - sum(edge) for side, edge in zip(spatial, edges, strict=True)), channels))


def _upsampling(settings: Settings, inputs: list[Shape]) -> LayerShape:
    spatial, channels = _picture(inputs)
    factors = pair_of(settings, "size", 2)
    return LayerShape((*(side * factor for side, factor in zip(spatial, factors, strict=True)), channels))


def _flatten(_settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    return LayerShape((prod(shape),))


def _reshape(settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    target = list(whole_of(settings.get("target_shape"), "target_shape", low=-1))
    require(len(target) <= 6, f"target_shape has {len(target)} dimensions")
    known = prod(side for side in target if side != -1)
    if target.count(-1) == 1 and known and prod(shape) % known == 0:
        target[target.index(-1)] = prod(shape) // known
    require(prod(target) == prod(shape) and min(target, default=1) > 0, f"{shape} has no target_shape {target}")
    return LayerShape(tuple(target))


def _permute(settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    dims = whole_of(settings.get("dims"), "dims")
    require(sorted(dims) == list(range(1, len(shape) + 1)), f"dims {list(dims)} do not order {len(shape)} dimensions")
    return LayerShape(tuple(shape[place - 1] for place in dims))


def _merge(_settings: Settings, inputs: list[Shape]) -> LayerShape:
    require(len(inputs) > 1, "it takes at least two inputs")
    found = inputs[0]
    for shape in inputs[1:]:
        long, short = sorted((found, shape), key=len, reverse=True)
        pairs = list(zip(long[len(long) - len(short) :], short, strict=True))
        require(all(a == b or 1 in (a, b) for a, b in pairs), f"its inputs of shape {found} and {shape} do not fit")
        found = (*long[: len(long) - len(short)], *(max(pair) for pair in pairs))
    return LayerShape(found)


def _concatenate(settings: Settings, inputs: list[Shape]) -> LayerShape:
    first = inputs[0]
    require(len(inputs) > 1, "it takes at least two inputs")
    place = axis_of(settings.get("axis", -1), first)
    for shape in inputs[1:]:
        others = (
            len(shape) == len(first) and (*shape[:place], *shape[place + 1 :]) == first[:place] + first[place + 1 :]
        )
        require(others, f"its inputs of shape {first} and {shape} do not fit")
    return LayerShape((*first[:place], sum(shape[place] for shape in inputs), *first[place + 1 :]))


def _rescaling(settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    for key in ("scale", "offset"):
        value = settings.get(key, 1)
        fits = not isinstance(value, list) or len(value) in (1, shape[-1])
        require(fits, f"{key} has {len(value) if not fits else 1} values for {shape[-1]} channels")
    return LayerShape(shape)


def _unchanged(_settings: Settings, inputs: list[Shape]) -> LayerShape:
    (shape,) = inputs
    return LayerShape(shape)


RULES: dict[str, Rule] = {
    "Conv2D": _convolution,
    "DepthwiseConv2D": _depthwise_convolution,
    "SeparableConv2D": _separable_convolution,
    "Conv2DTranspose": _transposed_convolution,
    "Dense": _dense,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _other_normalization,
    "GroupNormalization": _other_normalization,
    "Normalization": _normalization,
    "PReLU": _parametric_relu,
    "ZeroPadding2D": _padding,
    "Cropping2D": _cropping,
    "UpSampling2D": _upsampling,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "Concatenate": _concatenate,
    "Rescaling": _rescaling,
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), _pooling),
    **dict.fromkeys(("GlobalAveragePooling2D", "GlobalMaxPooling2D"), _global_pooling),
    **dict.fromkeys(("GlobalAveragePooling1D", "GlobalMaxPooling1D"), _global_pooling_of_a_sequence),
    **dict.fromkeys(("Resizing", "CenterCrop"), _resizing),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _merge),
    **dict.fromkeys(("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "UnitNormalization"), _unchanged),
    **dict.fromkeys(("Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout"), _unchanged),
}
"""The rule for each kind of `layer_graph.LAYERS` but the input."""


def _picture(inputs: list[Shape]) -> tuple[Shape, int]:
    """Return the (height, width) and the channels of a layer's only input."""
    (shape,) = inputs
    require(len(shape) == 3, f"its input of shape {shape} is not (height, width, channels)")
    return shape[:2], shape[2]


def _windows(settings: Settings, spatial: Shape, window: Shape) -> Shape:
    """Return how many positions a window has along each side."""
    strides, dilation = pair_of(settings, "strides", 1), pair_of(settings, "dilation_rate", 1)
    if is_same(settings):
        return tuple(-(-side // stride) for side, stride in zip(spatial, strides, strict=True))
    reach = [(side - 1) * rate + 1 for side, rate in zip(window, dilation, strict=True)]
    return tuple((side - size) // stride + 1 for side, size, stride in zip(spatial, reach, strides, strict=True))


def _bias(settings: Settings, length: int) -> tuple[Shape, ...]:
    return ((length,),) if settings.get("use_bias", True) else ()
