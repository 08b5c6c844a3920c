"""Moving transpositions changes neither values nor names, and leaves none between spatial operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vision_recipes.model_folder.channels_first import channels_first

LAST, FIRST, SWAPPED = [0, 2, 3, 1], [0, 3, 1, 2], [0, 3, 2, 1]
draw = np.random.default_rng(0)


def _convolved(ops: Any, channels_last: Any, count: int) -> Any:
    width = channels_last.output(0).get_partial_shape()[3].get_length()
    kernel = draw.normal(0, 0.4, (count, width, 3, 3)).astype(np.float32)
    found = ops.convolution(ops.transpose(channels_last, FIRST), kernel, [1, 1], [1, 1], [1, 1], [1, 1])
    return ops.transpose(found, LAST)


def _normalised(ops: Any, channels_last: Any) -> Any:
    """As Keras does it: the channels come second, but the other axes stand the wrong way round."""
    width = channels_last.output(0).get_partial_shape()[3].get_length()
    gamma, beta, mean = draw.normal(0, 1, (3, width)).astype(np.float32)
    variance = draw.uniform(0.5, 2, width).astype(np.float32)
    turned = ops.transpose(ops.convert(channels_last, "f32"), SWAPPED)
    return ops.transpose(ops.batch_norm_inference(turned, gamma, beta, mean, variance, 1e-3), SWAPPED)


def _gated(ops: Any, channels_last: Any) -> Any:
    """Squeeze and excitation: a factor for each channel, from the means."""
    width = channels_last.output(0).get_partial_shape()[3].get_length()
    means = ops.reduce_mean(channels_last, np.array([1, 2]), False)
    weights = draw.normal(0, 1, (width, width)).astype(np.float32)
    gate = ops.sigmoid(ops.matmul(means, weights, False, False))
    return ops.multiply(channels_last, ops.reshape(gate, np.array([0, 1, 1, width]), True))


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "normalised": _normalised,
    "active": lambda ops, x: ops.relu(x),
    "swish": lambda ops, x: ops.swish(x),
    "scaled": lambda ops, x: ops.multiply(x, draw.normal(0, 1, (1, 1, 1, 5)).astype(np.float32)),
    "by channel": lambda ops, x: ops.add(draw.normal(0, 1, 5).astype(np.float32), x),
    "number": lambda ops, x: ops.subtract(x, np.float32(0.5)),
    "picture of factors": lambda ops, x: ops.multiply(x, draw.normal(0, 1, (1, 6, 7, 1)).astype(np.float32)),
    "gated": _gated,
    "padded": lambda ops, x: ops.pad(x, [0, 1, 2, 0], [0, 3, 0, 1], "constant", np.float32(0.0)),
    "joined": lambda ops, x: ops.concat([x, ops.relu(x)], 3),
    "joined below": lambda ops, x: ops.concat([x, ops.relu(x)], -3),
    "added": lambda ops, x: ops.add(ops.relu(x), ops.sigmoid(x)),
    "row means": lambda ops, x: ops.reduce_mean(x, np.array([1]), True),
    "channel means": lambda ops, x: ops.subtract(x, ops.reduce_mean(x, np.array([-1]), True)),
    "row sums without axis": lambda ops, x: ops.unsqueeze(ops.reduce_sum(x, np.array([1]), False), 1),
    "cut": lambda ops, x: ops.slice(x, np.array([1]), np.array([5]), np.array([1]), np.array([1])),
    "dense": lambda ops, x: ops.matmul(x, draw.normal(0, 1, (5, 5)).astype(np.float32), False, False),
}


def _network(step: str) -> Any:
    import openvino as ov
    import openvino.opset13 as ops

    pixels = ops.parameter([-1, 6, 7, 3], np.float32)
    convolved = _convolved(ops, pixels, 5)
    stepped = STEPS[step](ops, convolved)
    again = _convolved(ops, _normalised(ops, stepped), 4)
    scores = ops.reduce_mean(ops.relu(again), np.array([1, 2]), False)
    results = []
    for name, node in {"scores": scores, "one": convolved, "two": stepped, "three": again}.items():
        node.output(0).set_names({name})
        results.append(ops.result(node))
    return ov.Model(results, [pixels])


def _answers(model: Any, pixels: np.ndarray) -> dict[str, np.ndarray]:
    import openvino as ov

    compiled = ov.Core().compile_model(model.clone(), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled(pixels)
    return {name: np.array(found[port]) for port in compiled.outputs for name in port.names}


def _transpositions(model: Any) -> int:
    return sum(node.get_type_name() == "Transpose" for node in model.get_ordered_ops())


@pytest.mark.parametrize("step", STEPS)
def test_values_and_names_stay_the_same(step: str) -> None:
    model = _network(step)
    pixels = draw.normal(0, 1, (2, 6, 7, 3)).astype(np.float32)
    before = _answers(model, pixels)
    channels_first(model)
    after = _answers(model, pixels)
    assert set(after) == set(before) == {"scores", "one", "two", "three"}
    for name in before:
        assert np.allclose(after[name], before[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize(
    "step", [step for step in STEPS if step not in ("cut", "dense", "row sums without axis", "gated")]
)
def test_no_transposition_is_left_between_spatial_operations(step: str) -> None:
    model = _network(step)
    channels_first(model)
    for result in model.get_results():
        if "scores" not in result.output(0).names:
            model.remove_result(result)
    assert _transpositions(model) == 1, "only the input's own"


def test_a_batch_of_any_size_still_fits() -> None:
    model = _network("joined")
    channels_first(model)
    for count in (1, 3):
        assert _answers(model, np.zeros((count, 6, 7, 3), np.float32))["scores"].shape == (count, 4)
