"""What an imported network answers, beside what Keras itself does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.model_folder import layer_graph, weights
from vision_recipes.model_import.keras_configs import Translation
from vision_recipes.model_import.keras_files import open_keras_file

ENDINGS = (".keras", ".h5")


def imported(path: Path, output: str = "") -> tuple[Any, Translation]:
    """Return the keras.Model that is built from a file read as data."""
    with open_keras_file(path, path.name, output) as (translation, stored):
        network = layer_graph.build(translation.graph, (*translation.size, translation.channels))
        weights.set_weights(network, stored, path.name)
    return network, translation


def draw_weights(network: Any, seed: int = 0) -> None:
    """Give a network weights that let its answers depend on every layer: no zeros, no ones."""
    draw = np.random.default_rng(seed)

    def drawn(values: np.ndarray) -> np.ndarray:
        if values.ndim < 2:
            return draw.uniform(0.05, 0.5, values.shape)
        return draw.normal(0.01, 1 / np.sqrt(np.prod(values.shape[:-1])), values.shape)

    network.set_weights([drawn(values) for values in network.get_weights()])


def difference(network: Any, folder: Path, ending: str, pictures: np.ndarray | None = None) -> float:
    """Return how far answers of the saved and imported network are from the network's own, relative when above 1.

    Keras itself cannot write some networks: as .h5 those with two variables of one name. They give 0.
    """
    path = folder / f"network{ending}"
    try:
        network.save(path)
    except (ValueError, TypeError):
        return 0.0
    found, translation = imported(path)
    if pictures is None:
        shape = (3, *translation.size, translation.channels)
        pictures = np.random.default_rng(1).uniform(0, 255, shape).astype(np.float32)
    own = pictures[..., 0] if len(network.inputs[0].shape) == 3 else pictures
    expected = np.asarray(network(own, training=False), np.float32)
    answers = np.asarray(found(pictures, training=False))
    assert answers.shape == expected.shape
    return float(np.abs(answers - expected).max() / max(1.0, np.abs(expected).max()))
