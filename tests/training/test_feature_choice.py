"""The features of several layers are chosen where they are better, and never where the last layer's do as well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from model_folder.small import local
from training.residual import CHANNELS, SIDE, write_residual_model

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.errors import SettingsError
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.inner_layers import inner_layers
from vision_recipes.settings import ComputeSettings
from vision_recipes.training.feature_choice import choose_features, may_use_several
from vision_recipes.training.features import FeatureSource
from vision_recipes.training_settings import RetrainSettings


class _Base:
    """A base network of which only the sizes matter."""

    name = "base"

    def __init__(self, width: int, inner: int) -> None:
        from vision_recipes.model_folder.config import Layer

        self.layers = (
            *(Layer(number, f"relu_{number}", "ReLU", (4, 4, inner), inner) for number in range(1, 13)),
            Layer(13, "last", "ReLU", (2, 2, width), width),
        )
        self.feature_layer = self.layers[-1]


def dataset(last: float, inner: float, seed: int = 0) -> LabelledImages:
    """Return 3 classes whose features of the last and of the inner layers tell them apart so well."""
    draw = np.random.default_rng(seed)
    targets = np.arange(240) % 3
    parts = [
        draw.normal(0, 1, (240, width)) + strength * draw.normal(0, 1, (3, width))[targets]
        for width, strength in ((20, last), (6 * 2 * 16, inner))
    ]
    several = np.concatenate(parts, axis=1).astype(np.float32)
    return replace(LabelledImages.of_features(several[:, :20], targets, "abc"), several=several)


def choose(images: LabelledImages, **params: object):
    source = FeatureSource(None, _Base(20, 16), Path(), ComputeSettings(), several=True)  # type: ignore[arg-type]
    return choose_features(images, source, RetrainSettings(**params))  # type: ignore[arg-type]


def test_several_layers_are_taken_where_they_tell_more():
    images, source, choice = choose(dataset(0.1, 0.3))
    assert choice.chosen == "several" and choice.accuracy_several > choice.accuracy_last + 0.1
    assert images.features.shape == (240, 20 + 192) and images.several is None
    assert choice.layers == tuple(layer.name for layer in source.inner_layers) and len(choice.layers) == 6
    assert source.feature_parts[0] == slice(0, 20) and source.feature_parts[-1].stop == 212


@pytest.mark.parametrize(("last", "inner"), [(1.0, 0.0), (0.5, 0.0), (0.0, 0.0)])
def test_the_last_layer_is_taken_when_it_does_as_well(last, inner):
    images, source, choice = choose(dataset(last, inner))
    assert choice.chosen == "last" and choice.layers == () and not source.inner_layers
    assert images.features.shape == (240, 20) and images.several is None
    assert choice.described()["accuracy_last"] == choice.accuracy_last


def test_several_layers_are_taken_when_they_are_asked_for():
    images, _source, choice = choose(dataset(1.0, 0.0), head_features="several")
    assert choice.chosen == "several" and "accuracy_last" not in choice.described()
    assert images.features.shape == (240, 212)


def test_they_are_computed_only_where_they_may_be_used():
    base = _Base(20, 16)
    assert may_use_several(base, RetrainSettings(), 1000)
    assert not may_use_several(base, RetrainSettings(), 10_000_000)
    assert may_use_several(base, RetrainSettings(head_features="several"), 10_000_000)
    assert not may_use_several(base, RetrainSettings(head_features="last"), 1000)
    assert not may_use_several(base, RetrainSettings(model_pooling="none"), 1000)


def test_flattened_features_are_of_the_last_layer():
    with pytest.raises(SettingsError, match="head_features is 'several'.*model_pooling to avg or max"):
        RetrainSettings.from_params(
            {"head_features": "several", "model_pooling": "none", "label_source": "folder_names"}
        )


@pytest.fixture(scope="module")
def residual(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_residual_model(tmp_path_factory.mktemp("residual") / "model")


@pytest.mark.keras
def test_a_head_on_several_layers_gives_the_same_everywhere(residual, tmp_path, monkeypatch):
    """Both engines, the vector of the layer, a head on top of it again, a network to fine-tune."""
    from vision_recipes.inference.engine import SEVERAL_FEATURES
    from vision_recipes.inference.opening import open_engine
    from vision_recipes.metrics import softmax
    from vision_recipes.model_folder import inner_layers as module
    from vision_recipes.model_folder import open_model
    from vision_recipes.model_folder.heads import About, Head, attach_head, save_with_head
    from vision_recipes.pictures import Picture
    from vision_recipes.preprocessing import normalise

    monkeypatch.setattr(module, "_NARROWEST", 1)
    names = tuple(layer.name for layer in inner_layers(residual.layers, residual.feature_layer))
    width = CHANNELS * (1 + 2 * len(names))
    draw = np.random.default_rng(0)
    head = Head(draw.normal(0, 1, (width, 2)).astype(np.float32), np.zeros(2, np.float32), ("a", "b"), layers=names)
    save_with_head(local(tmp_path / "mine"), residual, head, About("mine"))
    mine = open_model(local(tmp_path / "mine"))
    assert mine.config.head.layers == names and mine.config.head.features == width
    pixels = draw.integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)
    pictures = [Picture(f"/{number}", picture) for number, picture in enumerate(pixels)]

    def vectors(model: Model, engine: str, output: str | int = "scores") -> np.ndarray:
        compute = ComputeSettings(engine=engine, use_gpu="false", precision="float32")
        return np.stack([vector for _, vector in open_engine(model, compute, output).run(pictures)])

    pooled = vectors(residual, "openvino", SEVERAL_FEATURES)
    assert pooled.shape == (5, width)
    expected = softmax((pooled @ head.kernel).astype(np.float64))
    for engine in ("openvino", "keras"):
        assert np.abs(vectors(residual, engine, SEVERAL_FEATURES) - pooled).max() < 1e-4
        assert np.abs(vectors(mine, engine) - expected).max() < 1e-5
        assert np.abs(vectors(mine, engine, -2) - pooled).max() < 1e-4
    assert np.abs(vectors(mine, "openvino", SEVERAL_FEATURES) - pooled).max() < 1e-4
    tuned = attach_head(mine, head)
    assert np.abs(np.asarray(tuned(normalise(pixels, mine.preprocessing))) - expected).max() < 1e-5
    assert (
        np.abs(mine.check.scores - np.asarray(tuned(normalise(mine.check.pictures, mine.preprocessing)))).max() < 1e-5
    )


def test_a_head_on_layers_that_are_not_there_is_refused(small, folder):
    from model_folder.small import change_config

    from vision_recipes.errors import ModelFolderError
    from vision_recipes.model_folder import open_model

    head = {"features": 6, "pooling": "avg", "layers": ["nowhere"]}
    change_config(folder, lambda data: data.update(head=head))
    with pytest.raises(ModelFolderError, match=r"head\.layers must be names of layers"):
        open_model(local(folder))
