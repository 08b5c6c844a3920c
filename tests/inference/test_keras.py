"""The Keras engine gives the answers of the OpenVINO engine, on any number of devices, in any precision that is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from model_folder.small import CHANNELS, INPUT, local, write_small_model

from vision_recipes.errors import ModelFolderError
from vision_recipes.inference.device_claim import DeviceClaim
from vision_recipes.inference.engine import FEATURES, SCORES, THE_SCORES, Engine
from vision_recipes.inference.opening import open_engine
from vision_recipes.model_folder import Model
from vision_recipes.pictures import Picture
from vision_recipes.settings import ComputeSettings

pytestmark = pytest.mark.keras

KERAS = ComputeSettings(use_gpu="false", engine="keras", precision="float32")
OPENVINO = ComputeSettings(use_gpu="false", engine="openvino", precision="float32")


@pytest.fixture
def small(tmp_path: object) -> Model:
    return write_small_model(local(tmp_path / "small"))  # type: ignore[operator]


def _pictures(count: int) -> list[Picture]:
    draw = np.random.default_rng(1)
    pictures = [
        Picture(f"/{place}", draw.integers(0, 256, (INPUT.height, INPUT.width, 3), np.uint8)) for place in range(count)
    ]
    pictures.insert(count // 2, Picture("/bad", reason="corrupt"))
    return pictures


def _vectors(engine: Engine, pictures: list[Picture]) -> np.ndarray:
    found = list(engine.run(pictures))
    assert [picture for picture, _ in found] == pictures
    return np.stack([vector for _, vector in found if vector is not None])


@pytest.mark.parametrize(
    ("output", "pooling"), [(SCORES, "avg"), (FEATURES, "avg"), (1, "max"), (2, "none"), (-2, "avg"), (-1, "avg")]
)
def test_both_engines_give_the_same_vectors(small: Model, output: str | int, pooling: str) -> None:
    pictures = _pictures(11)
    by_keras = open_engine(small, KERAS, output, pooling=pooling, batch=4)
    assert (by_keras.name, by_keras.precision, by_keras.device) == ("keras", "float32", "CPU")
    expected = _vectors(open_engine(small, OPENVINO, output, pooling=pooling), pictures)
    found = _vectors(by_keras, pictures)
    assert found.dtype == np.float32 and found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-4


def test_several_devices_take_turns(small: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    from vision_recipes.inference import keras_network

    @dataclass(frozen=True)
    class ThreeDevices(DeviceClaim):
        @property
        def names(self) -> tuple[str, ...]:
            return ("cpu:0",) * 3

    monkeypatch.setattr(keras_network, "claim", lambda compute, gpus: ThreeDevices(()))
    source = keras_network.KerasSource(small, KERAS, (), 2)
    pictures = _pictures(17)
    found = _vectors(source.compile(THE_SCORES, "float32"), pictures)
    assert np.abs(found - _vectors(open_engine(small, OPENVINO), pictures)).max() < 1e-4


def test_a_lower_precision_computes_lower_and_is_checked(small: Model) -> None:
    import keras

    pictures = _pictures(9)
    bfloat16 = ComputeSettings(use_gpu="false", engine="keras", precision="bfloat16")
    exact = _vectors(open_engine(small, KERAS, FEATURES), pictures)
    lower = open_engine(small, bfloat16, FEATURES)
    found = _vectors(lower, pictures)
    assert lower.precision == "bfloat16" and found.dtype == np.float32
    assert 1e-4 < np.abs(found - exact).max() / np.abs(exact).max() < 0.05
    probabilities = _vectors(open_engine(small, bfloat16), pictures)
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-5, "the last layer is computed in float32"
    assert keras.config.dtype_policy().name == "float32", "the policy of the process is left as it was"


def test_other_scores_are_refused(small: Model) -> None:
    import dataclasses

    small.__dict__["check"] = dataclasses.replace(small.check, scores=small.check.scores[:, ::-1])
    with pytest.raises(ModelFolderError, match="keras in float32 on CPU"):
        open_engine(small, KERAS)


def test_the_feature_vector_is_as_long_as_the_layer_says(small: Model) -> None:
    assert _vectors(open_engine(small, KERAS, FEATURES), _pictures(1)).shape == (1, CHANNELS)
