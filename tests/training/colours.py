"""A small model folder made without Keras, and a folder of pictures whose colour is their class."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
from inference.tiny import INPUT, LABELS, write_tiny_model
from PIL import Image

from vision_recipes.model_folder import Model, Network, hdf5, open_model
from vision_recipes.model_folder.commit import commit
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.stores import LocalStore

SHADES = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (50, 60, 200)}


def write_colour_model(folder: Path) -> Model:
    """Write the tiny model with weights in a true weights file, so that a head can be put on it; return it opened."""
    tiny = write_tiny_model(folder.with_name(folder.name + "-tiny"))
    with tempfile.TemporaryDirectory() as workdir:
        work = Path(workdir)
        xml = tiny.ir(work)
        kernel = np.random.default_rng(0).normal(0, 0.3, (3, 3, 3, 6)).astype(np.float32)
        dense = np.zeros((6, len(LABELS)), np.float32)
        layers = {
            "convolved": hdf5.StoredLayer("conv2d", [kernel]),
            "scores": hdf5.StoredLayer("dense", [dense, dense[0]]),
        }
        files = {"xml": xml, "bin": xml.with_suffix(".bin"), "weights": work / "weights", "check": work / "check"}
        hdf5.write_stored(files["weights"], layers)
        files["check"].write_bytes(tiny.read(tiny.config.files.check, 1 << 24))
        spec = ModelSpec("tiny", Network("MobileNetV2"), INPUT, LABELS, "active")
        commit(LocalStore(folder), spec, tiny.layers, files)
    return open_model(LocalStore(folder))


def shade(name: str, number: int, *, noise: float = 30.0) -> bytes:
    """Return a noisy picture in one colour, as PNG."""
    draw = np.random.default_rng([sum(name.encode()), number])
    pixels = np.array(SHADES[name]) + draw.normal(0, noise, (20, 30, 3)) + draw.normal(0, noise / 2, 3)
    stream = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def write_colours(folder: Path, count: int = 12) -> LocalStore:
    """Write `count` pictures of each colour, in a sub-folder that bears its name."""
    for name in SHADES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (folder / name / f"{number:03d}.png").write_bytes(shade(name, number))
    return LocalStore(folder)
