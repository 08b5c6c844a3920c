"""The layers of a network read from ONNX that can be extracted, and the one before its scores, found in its graph."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.model_folder.config import Layer

MOST = 48
"""Layers that are listed at most; of more, every second one is, or every third …"""

_WEIGHTED = ("MatMul", "Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData")
_CONVOLUTIONS = (*_WEIGHTED[1:], "AvgPool", "MaxPool", "BatchNormInference", "DepthToSpace", "SpaceToDepth")
_STARTS_A_BLOCK = (*_WEIGHTED, "AvgPool", "MaxPool", "ReduceMean", "ReduceMax")


@dataclass
class Step:
    """An operation between the picture and the output. `output` is what it makes, `channels` the axis of its channels.

    `weights` are how many numbers of weights go into it and into those after the step before that is `passed`.
    `passed` says that all of the network goes through it.
    """

    node: Any
    output: Any
    weighted: bool
    channels: int | None
    weights: int = 0
    passed: bool = False
    consumers: list[str] = field(default_factory=list)

    @property
    def shape(self) -> list[Any]:
        """The dimensions of the output, the batch first."""
        return list(self.output.get_partial_shape())


def steps_to(output: Any, pixels: Any) -> list[Step]:
    """Return the operations on the way from an ov.Model's parameter `pixels` to an output of a node, in order."""
    on_way = _between(output, pixels)
    steps: dict[str, Step] = {}
    last_use: dict[str, int] = {}
    for place, node in enumerate(on_way):
        name = node.get_name()
        sources = [value.get_node() for value in node.input_values()]
        before = [source.get_name() for source in sources if source.get_name() in steps]
        for source in before:
            last_use[source] = place
            steps[source].consumers.append(node.get_type_name())
        kind, constants = node.get_type_name(), len(before) < len(sources)
        made = node.output(output.get_index() if node.get_name() == output.get_node().get_name() else 0)
        steps[name] = Step(node, made, kind in _WEIGHTED and constants, _channel_axis(node, kind, steps))
        steps[name].weights = sum(_constant_size(source) for source in sources if source.get_name() not in steps)
    reach = 0
    listed = list(steps.items())
    for place, (name, step) in enumerate(listed):
        step.passed = reach <= place and place > 0
        reach = max(reach, last_use.get(name, place))
    return [step for _name, step in listed]


def _between(output: Any, pixels: Any) -> list[Any]:
    """Return the nodes that depend on the pixels and that the output depends on, each after its sources."""
    ordered, state = [], {pixels.get_name(): True}
    waiting = [(output.get_node(), False)]
    while waiting:
        node, done = waiting.pop()
        name = node.get_name()
        sources = [value.get_node() for value in node.input_values()]
        if node.get_type_name() == "ShapeOf":
            state[name] = False  # its result depends on the shape alone
        elif done:
            state[name] = any(state.get(source.get_name()) for source in sources)
            if state[name]:
                ordered.append(node)
        elif name not in state:
            state[name] = False
            waiting.append((node, True))
            waiting.extend((source, False) for source in sources if source.get_name() not in state)
    return [pixels, *ordered]


def _constant_size(node: Any) -> int:
    """Return how many numbers a constant has, seen through a conversion."""
    while node.get_type_name() in ("Convert", "Reshape", "Transpose") and node.get_input_size():
        node = node.input_value(0).get_node()
    return math.prod(node.get_output_shape(0)) if node.get_type_name() == "Constant" else 0


def _channel_axis(node: Any, kind: str, steps: dict[str, Step]) -> int | None:
    """Return the axis of the channels in what a node makes; None when that is not known."""
    rank = node.get_output_partial_shape(0).rank.get_length()
    if rank == 2 or kind in _CONVOLUTIONS:
        return 1
    known = [step for value in node.input_values() if (step := steps.get(value.get_node().get_name()))]
    axis, before = (known[0].channels, known[0].shape) if known else (None, [])
    if kind == "MatMul":
        return rank - 1 if len(known) == 1 else None
    if kind == "Transpose":
        order = _constant(node.input_value(1))
        return order.index(axis) if order and axis in order else None
    after = list(node.get_output_partial_shape(0))
    if kind == "Reshape":
        if axis == 1 and len(before) > 2 and rank > 2 and after[1] == before[1]:
            return 1
        return rank - 1 if axis == len(before) - 1 and axis is not None and after[-1] == before[-1] else None
    if len(before) == rank:
        return next((step.channels for step in known if step.channels is not None and len(step.shape) == rank), None)
    return None


def _constant(output: Any) -> list[int] | None:
    node = output.get_node()
    return [int(value) for value in np.ravel(node.get_data())] if node.get_type_name() == "Constant" else None


def feature_step(steps: Sequence[Step]) -> Step | None:
    """Return the last step that all passes through before the last weights, whose vector the scores are made of."""
    last = max((place for place, step in enumerate(steps) if step.weighted), default=0)
    return next((step for step in reversed(steps[:last]) if _is_extractable(step)), None)


def list_steps(steps: Sequence[Step], features: Step | None) -> list[Step]:
    """Return the steps to extract, with `features` among them: the ends of blocks, and what is pooled or weighted."""
    found, weights = [], 0
    for step in steps[1:]:
        weights += step.weights
        starts = len(step.consumers) > 1 or any(kind in _STARTS_A_BLOCK for kind in step.consumers)
        if step is features or (_is_extractable(step) and starts):
            step.weights, weights = weights, 0
            found.append(step)
    every = -(-len(found) // MOST)
    return [step for place, step in enumerate(reversed(found)) if place % every == 0 or step is features][::-1]


def _is_extractable(step: Step) -> bool:
    shape = step.shape
    return (
        step.passed
        and step.channels is not None
        and len(shape) in (2, 3, 4)
        and all(side.is_static for side in shape[1:])
        and step.output.get_element_type().is_real()
    )


def channels_last(step: Step) -> Any:
    """Return a step's output with its channels as the last axis."""
    import openvino.opset13 as ops

    rank, axis = len(step.shape), step.channels
    if axis in (None, rank - 1):
        return step.output
    order = [place for place in range(rank) if place != axis] + [axis]
    return ops.transpose(step.output, np.array(order)).output(0)


def described(step: Step, index: int, taken: set[str]) -> Layer:
    """Return the description of a step as a layer, by its own name where that is free."""
    shape = channels_last_shape(step)
    plain = re.sub(r"[^A-Za-z0-9_.:-]+", "_", step.node.get_friendly_name()).strip("_")[:80] or "layer"
    name = plain if plain not in taken and not plain.startswith("head_") else f"{plain}_{index}"
    taken.add(name)
    return Layer(index, name, step.node.get_type_name(), shape, shape[-1], step.weights)


def channels_last_shape(step: Step) -> tuple[int, ...]:
    """Return the shape of a step without the batch, its channels last."""
    sizes = [side.get_length() for side in step.shape[1:]]
    if step.channels is not None:
        sizes.append(sizes.pop(step.channels - 1))
    return tuple(sizes)
