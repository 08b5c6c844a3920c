"""The pictures of check.npz, drawn and scored when a model is saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vision_recipes.model_folder.checks import COUNT, Check, write_npz
from vision_recipes.model_folder.openvino_ir import EXTRA, PIXELS, SCORES
from vision_recipes.model_folder.spec import ModelSpec


def draw_pictures(width: int, height: int) -> np.ndarray:
    """Return the check pictures, uint8 (COUNT, height, width, 3): waves, tiles, discs and a ramp, always the same."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    y, x = (y + 0.5) / height, (x + 0.5) / width
    drawn = []
    for number in range(COUNT):
        draw = np.random.default_rng(number)
        side = 3 + 2 * number
        tiles = draw.uniform(0, 255, (side, side, 3))[(y * side).astype(int), (x * side).astype(int)]
        turns = draw.uniform(1, 6, (2, 3))
        waves = 127.5 + 127.5 * np.sin(2 * np.pi * (x[..., None] * turns[0] + y[..., None] * turns[1]))
        disc = np.hypot(x - draw.uniform(0.3, 0.7), y - draw.uniform(0.3, 0.7)) < draw.uniform(0.15, 0.35)
        drawn.append(np.where(disc[..., None], waves, tiles) // 16 * 16 + 8)
    return np.clip(np.stack(drawn), 0, 255).astype(np.uint8)


def score_ir(xml: Path, pictures: np.ndarray, extra_width: int = 0) -> np.ndarray:
    """Return the scores that an IR gives to pictures uint8 (n, height, width, 3), in float32 on the CPU, extras 0."""
    import openvino as ov

    core = ov.Core()
    model = core.read_model(xml)
    for result in [result for result in model.get_results() if SCORES not in result.output(0).names]:
        model.remove_result(result)
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    extra = {EXTRA: np.zeros((1, extra_width), np.float32)} if extra_width else {}
    return np.stack([compiled({PIXELS: p[None].astype(np.float32)} | extra)[SCORES][0].copy() for p in pictures])


def write_check(check: Check) -> bytes:
    """Return the bytes of check.npz; the same check gives the same bytes."""
    return write_npz({"pictures": check.pictures, "scores": check.scores})


def write_ir_check(target: Path, xml: Path, spec: ModelSpec) -> Check:
    """Write the check.npz of a network whose scores are by definition those of its IR, and return the check."""
    pictures = draw_pictures(spec.input.width, spec.input.height)
    check = Check(pictures, score_ir(xml, pictures, spec.extra_width))
    target.write_bytes(write_check(check))
    return check
