"""EfficientNet-Lite, which keras.applications lacks: no squeeze-and-excitation, ReLU6, TensorFlow's SAME padding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

EPSILON = 1e-3
STEM, HEAD = 32, 1280
"""Filters of the first and of the last convolution, whatever the width of the network."""

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Repeats, kernel, stride, expansion and filters of each stage of EfficientNet-B0."""

FACTORS = {"EfficientNetLite0": (1.0, 1.0), "EfficientNetLite1": (1.0, 1.1), "EfficientNetLite2": (1.1, 1.2)}
"""Width and depth of each network as multiples of those stages."""


@dataclass(frozen=True)
class Block:
    """An inverted residual: 1 x 1 expansion, depthwise convolution, 1 x 1 projection; the input is added if it fits."""

    name: str
    kernel: int
    stride: int
    expansion: int
    inputs: int
    filters: int

    @property
    def residual(self) -> bool:
        """Whether the block's input is added to what it gives."""
        return self.stride == 1 and self.inputs == self.filters


def blocks(builder: str) -> Iterator[Block]:
    """Yield the blocks of a network, numbered from 0 as in the published weights."""
    width, depth = FACTORS[builder]
    inputs, number = STEM, 0
    for stage, (repeats, kernel, stride, expansion, filters) in enumerate(STAGES):
        scaled = repeats if stage in (0, len(STAGES) - 1) else ceil(repeats * depth)
        for repeat in range(scaled):
            outputs = _divisible(filters * width)
            yield Block(f"block{number}", kernel, 1 if repeat else stride, expansion, inputs, outputs)
            inputs, number = outputs, number + 1


def _divisible(filters: float) -> int:
    """Return the multiple of 8 nearest to a number of filters, not below nine tenths of it."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * filters else rounded + 8


def build(
    builder: str, *, weights: None, include_top: bool, input_shape: tuple[int, int, int], classes: int = 1000
) -> Any:
    """Return the keras.Model of that name with random weights, as the functions of keras.applications do."""
    import keras

    inputs = keras.Input(input_shape, name="pixels")
    x = _convolved(inputs, "stem", STEM, kernel=3, stride=2)
    for block in blocks(builder):
        x = _inverted_residual(x, block)
    x = _convolved(x, "top", HEAD)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="top_pooling")(x)
        x = keras.layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name=builder.lower())


def _inverted_residual(x: Any, block: Block) -> Any:
    import keras

    shortcut = x
    if block.expansion > 1:
        x = _convolved(x, f"{block.name}_expand", block.inputs * block.expansion)
    depthwise = keras.layers.DepthwiseConv2D(
        block.kernel, strides=block.stride, padding="same", use_bias=False, name=f"{block.name}_depthwise_conv"
    )
    x = _normalised(depthwise(x), f"{block.name}_depthwise", active=True)
    x = _convolved(x, f"{block.name}_project", block.filters, active=False)
    return keras.layers.Add(name=f"{block.name}_add")([x, shortcut]) if block.residual else x


def _convolved(x: Any, name: str, filters: int, *, kernel: int = 1, stride: int = 1, active: bool = True) -> Any:
    import keras

    options = {"strides": stride, "padding": "same", "use_bias": False, "name": f"{name}_conv"}
    return _normalised(keras.layers.Conv2D(filters, kernel, **options)(x), name, active=active)


def _normalised(x: Any, name: str, *, active: bool) -> Any:
    import keras

    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    return keras.layers.ReLU(max_value=6.0, name=f"{name}_activation")(x) if active else x


BUILDERS = {name: partial(build, name) for name in FACTORS}
"""Builders by the name that the catalogue gives, called as those of keras.applications."""
