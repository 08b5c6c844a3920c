"""Calibration: temperature scaling of logits that are too confident."""

import numpy as np
import pytest

from vision_recipes.metrics import calibration_error, softmax
from vision_recipes.training.calibration import calibrate


def draw(count, seed, spread):
    """Return logits of three overlapping classes, and the classes."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 3, count)
    points = np.eye(3)[targets] * spread + rng.standard_normal((count, 3))
    return (points * spread / 3).astype(np.float32), targets


def test_overconfident_probabilities_are_calibrated():
    logits, targets = draw(600, 0, 1.5)
    found = calibrate(logits * 8, targets)
    assert found.factor < 0.6
    assert found.after < 0.6 * found.before
    probabilities = softmax(logits * 8 * found.factor)
    right = (probabilities.argmax(axis=1) == targets).astype(float)
    assert found.after == pytest.approx(calibration_error(probabilities.max(axis=1), right), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_calibration_never_makes_it_worse(seed):
    logits, targets = draw(60, seed, 2.0)
    found = calibrate(logits, targets)
    assert found.after <= found.before
    assert calibrate(logits[:10], targets[:10]).factor == 1.0
