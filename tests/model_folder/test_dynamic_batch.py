"""Reshapes that were exported for one picture take any number of them."""

from __future__ import annotations

import numpy as np
import pytest

from vision_recipes.model_folder.openvino_ir import any_batch


@pytest.mark.parametrize("target", [[1, 8], [1, -1], [1, 2, 1, 4], [1, 2, -1]])
def test_one_picture_becomes_any_number(target: list[int]) -> None:
    import openvino as ov
    import openvino.opset13 as ops

    pixels = ops.parameter([-1, 2, 4], np.float32)
    factors = ops.reshape(ops.constant(np.arange(8, dtype=np.float32)), np.array([1, 2, 4]), False)
    first = ops.reshape(ops.multiply(pixels, factors), np.array(target), False)
    second = ops.reshape(ops.relu(first), np.array([1, 8]), False)
    model = ov.Model([ops.result(second)], [pixels])
    any_batch(model)
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for count in (1, 3):
        given = np.random.default_rng(0).normal(0, 1, (count, 2, 4)).astype(np.float32)
        expected = np.maximum(given * np.arange(8, dtype=np.float32).reshape(2, 4), 0).reshape(count, 8)
        assert np.allclose(compiled(given)[0], expected, atol=1e-6)
