"""A small network with batch normalisation and a branch around two of its layers, as a model folder; and pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.mapped_arrays import MappedRows
from vision_recipes.dataset.splits import TRAIN, VALID
from vision_recipes.model_folder import Model, Network, open_model
from vision_recipes.model_folder.layer_graph import Graph, Node, build
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import LocalStore

SIDE, CHANNELS = 24, 6
INPUT = Preprocessing(SIDE, SIDE, "bgr", (120.0, 120.0, 120.0), (60.0, 60.0, 60.0))
_SAME = {"filters": CHANNELS, "kernel_size": 3, "padding": "same"}
GRAPH = Graph(
    (
        Node("input", "InputLayer"),
        Node("first", "Conv2D", {"filters": CHANNELS, "kernel_size": 3, "strides": 2}, ("input",)),
        Node("first_bn", "BatchNormalization", {}, ("first",)),
        Node("first_relu", "Activation", {"activation": "relu"}, ("first_bn",)),
        Node("second", "Conv2D", _SAME, ("first_relu",)),
        Node("second_bn", "BatchNormalization", {}, ("second",)),
        Node("second_relu", "Activation", {"activation": "relu"}, ("second_bn",)),
        Node("third", "Conv2D", _SAME, ("second_relu",)),
        Node("added", "Add", {}, ("third", "first_relu")),
        Node("active", "Activation", {"activation": "relu"}, ("added",)),
        Node("pooled", "GlobalAveragePooling2D", {}, ("active",)),
        Node("scores", "Dense", {"units": 3, "activation": "softmax"}, ("pooled",)),
    )
)


def write_residual_model(folder: Path) -> Model:
    """Write the model with random weights, statistics of its normalisations included."""
    import keras

    keras.utils.set_random_seed(3)
    network = build(GRAPH, (SIDE, SIDE, 3))
    draw = np.random.default_rng(3)
    for layer in network.layers:
        if "bn" in layer.name:
            low, high = (0.5, 1.5)
            layer.set_weights([draw.uniform(low, high, CHANNELS) * sign for sign in (1, 0.1, 0.1, 1)])
    store = LocalStore(folder)
    save_model(
        store, network, ModelSpec("residual", Network("residual", classes=3), INPUT, ("a", "b", "c"), graph=GRAPH)
    )
    return open_model(store)


def stripes(train: int, valid: int) -> LabelledImages:
    """Return pictures of stripes that rise (class 0) or fall (class 1), in any colour and of any width."""
    pixels = np.concatenate([_stripes(train, 0), _stripes(valid, 1)])
    targets = np.concatenate([np.arange(train) % 2, np.arange(valid) % 2])
    images = LabelledImages.of_features(np.zeros((len(targets), 0), np.float32), targets, ("rising", "falling"))
    return replace(
        images,
        digests=[f"{side}-{number}" for side, count in enumerate((train, valid)) for number in range(count)],
        sides=np.repeat([TRAIN, VALID], [train, valid]),
        pixels=MappedRows(pixels),
    )


def _stripes(count: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    pixels = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for number in range(count):
        wave = np.sin((x + (y if number % 2 else -y)) * draw.uniform(0.8, 1.4) + draw.uniform(0, 6))
        values = 128 + wave[..., None] * draw.uniform(-60, 60, 3) + draw.normal(0, 10, (SIDE, SIDE, 3))
        pixels[number] = np.clip(values, 0, 255).astype(np.uint8)
    return pixels
