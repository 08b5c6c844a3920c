"""Every network of the catalogue gives plain Keras' answers through both engines and as ONNX, and can be retrained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from images.files import encoded
from PIL import Image

from vision_recipes.classify import classify
from vision_recipes.inference.engine import FEATURES
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_export.exporting import open_network
from vision_recipes.model_export.onnx_files import write_onnx
from vision_recipes.model_folder import Network, catalogue, open_model
from vision_recipes.model_folder.checks import draw_pictures
from vision_recipes.model_folder.efficientnet_lite import BUILDERS
from vision_recipes.model_folder.networks import layer_named
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.pictures import Picture
from vision_recipes.preprocessing import Preprocessing, normalise
from vision_recipes.retrain import retrain
from vision_recipes.settings import ClassifySettings, ComputeSettings
from vision_recipes.stores import LocalStore
from vision_recipes.training_settings import RetrainSettings

CLASSES = 12
SIDE = 64
QUICK = "MobileNetV3Small"
LONG = (pytest.mark.slow, pytest.mark.timeout(1800))
NETWORKS = [
    pytest.param(name, marks=[pytest.mark.keras] if name == QUICK else [pytest.mark.keras, *LONG])
    for name in catalogue.architectures()
]


def _lively(network: Any, pixels: np.ndarray) -> None:
    """Give a network with random weights answers that differ from picture to picture, without being extreme.

    Its normalisations take the statistics of these pixels and leave most units active, as deep networks of random
    weights are chaotic otherwise: rounding grows from layer to layer. Its logits spread by about one around nothing:
    with sharper ones, Keras' own float32 answers are 1e-4 away from its float64 answers.
    """
    import keras

    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
            layer.beta.assign(np.full(layer.beta.shape, 0.5))
            if layer.scale:
                layer.gamma.assign(np.full(layer.gamma.shape, 0.5))
    network(pixels, training=True)
    dense = network.layers[-1] if network.layers[-1].weights else network.layers[-3]
    for _ in range(3):  # answers that hardly differ tell their spread only roughly
        logits = np.log(np.asarray(network(pixels, training=False), np.float64) + 1e-30)
        logits -= logits.mean(axis=1, keepdims=True)
        scale = min(1.0 / max(float(logits.std(axis=0).mean()), 1e-6), 1e4)
        kernel, bias = dense.get_weights()
        dense.set_weights([kernel * scale, (bias - logits.mean(axis=0)) * scale])


@dataclass
class Made:
    """A network with random weights, its model folder, pictures and what plain Keras answers to them."""

    network: Any
    folder: LocalStore
    pictures: np.ndarray
    pixels: np.ndarray
    expected: np.ndarray


def _make(name: str, folder: Path) -> Made:
    import keras

    row = catalogue.architectures()[name]
    side = max(2 * row.minimum, SIDE)  # the last map has several places, or its statistics would be those of 6 numbers
    size = Preprocessing.named(row.preprocessing, side, side)
    keras.utils.set_random_seed(7)
    builder = BUILDERS.get(row.builder) or getattr(keras.applications, row.builder)
    network = builder(weights=None, include_top=True, classes=CLASSES, input_shape=(side, side, 3))
    draw = np.random.default_rng(3)
    coarse = draw.integers(0, 256, (6, 8, 8, 3), np.uint8)
    pictures = np.stack(
        [np.kron(tile, np.ones((side // 8 + 1,) * 2 + (1,), np.uint8))[:side, :side] for tile in coarse]
    )
    pixels = normalise(pictures, size)
    _lively(network, np.concatenate([pixels, normalise(draw_pictures(side, side), size)]))
    expected = np.asarray(network(pixels, training=False))
    labels = tuple(f"class {place}" for place in range(CLASSES))
    save_model(LocalStore(folder), network, ModelSpec(row.name, Network(row.name, classes=CLASSES), size, labels))
    return Made(network, LocalStore(folder), pictures, pixels, expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_both_engines_and_onnx_answer_as_plain_keras(name: str, tmp_path: Path) -> None:
    import keras

    made = _make(name, tmp_path / "model")
    expected, pictures = made.expected, made.pictures
    model = open_model(made.folder)
    layer = layer_named(made.network, model.feature_layer.name)
    spatial = np.asarray(keras.Model(made.network.inputs, layer.output)(made.pixels))
    features = spatial.mean(axis=tuple(range(1, spatial.ndim - 1)))
    assert len(set(expected.argmax(axis=1))) > 1, "the pictures should have different labels"
    for engine in ("openvino", "keras"):
        compute = ComputeSettings(use_gpu="false", engine=engine, precision="float32")
        given = [Picture(f"/{place}", picture) for place, picture in enumerate(pictures)]
        scores = np.stack([found for _, found in open_engine(model, compute).run(given)])  # type: ignore[arg-type]
        assert np.abs(scores - expected).max() < 1e-4, engine
        assert (scores.argmax(axis=1) == expected.argmax(axis=1)).all(), engine
        found = np.stack([vector for _, vector in open_engine(model, compute, FEATURES).run(given)])  # type: ignore[arg-type]
        # rounding adds up over the layers, whose statistics are those of six pictures: two engines differ by some 1e-4
        assert np.abs(found - features).max() < 1e-3 * max(1.0, np.abs(features).max()), engine
    write_onnx(open_network(model, tmp_path), tmp_path / "model.onnx", {})
    (scores,) = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"pictures": pictures})
    assert np.abs(scores - expected).max() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_its_last_layers_are_retrained(name: str, tmp_path: Path) -> None:
    made = _make(name, tmp_path / "model")
    for place in range(12):
        shown = np.roll(made.pictures[place % 2], place, axis=1)
        made.folder.write(f"/photos/{'ab'[place % 2]}/{place}.png", encoded(Image.fromarray(shown), "PNG"))
    photos = LocalStore(tmp_path / "model" / "photos")
    for layers in ("last", "n_last"):
        settings = RetrainSettings(
            label_source="folder_names",
            layer_to_retrain=layers,
            nb_epochs=1,
            nb_steps_per_epoch=1,
            batch_size=2,
            compute=ComputeSettings(use_gpu="false"),
        )
        mine = LocalStore(tmp_path / layers)
        retrain(photos, made.folder, mine, settings)
        assert open_model(mine).labels == ("a", "b")
        rows = list(classify(photos, mine, ClassifySettings()))
        assert len(rows) == 12
        assert {row["label"] for row in rows} <= {"a", "b"}
        assert not any(row["error"] for row in rows)
