"""Optimisers by name: the steps of Keras, and parameters that are checked before any work."""

from __future__ import annotations

import numpy as np
import pytest

from vision_recipes.errors import SettingsError
from vision_recipes.training.optimisers import Optimiser, read_parameters

CASES = [
    ("adam", {}),
    ("adam", {"amsgrad": True, "beta_1": 0.8}),
    ("adamw", {"weight_decay": 0.1}),
    ("adagrad", {"initial_accumulator_value": 0.2}),
    ("sgd", {}),
    ("sgd", {"momentum": 0.9}),
    ("sgd", {"momentum": 0.9, "nesterov": True}),
    ("rmsprop", {"rho": 0.8}),
    ("rmsprop", {"centered": True, "momentum": 0.5}),
    ("sgd", {"clipnorm": 0.5}),
    ("sgd", {"clipvalue": 0.1}),
    ("sgd", {"global_clipnorm": 0.5}),
]


@pytest.mark.keras
@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_steps_are_those_of_keras(name, parameters):
    import keras

    kind = {"adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad", "sgd": "SGD", "rmsprop": "RMSprop"}[name]
    theirs = getattr(keras.optimizers, kind)(learning_rate=0.05, **parameters)
    draw = np.random.default_rng(0)
    arrays = [draw.normal(size=(4, 3)).astype(np.float32), draw.normal(size=3).astype(np.float32)]
    variables = [keras.Variable(array, name=label) for array, label in zip(arrays, ("kernel", "bias"), strict=True)]
    theirs.exclude_from_weight_decay(var_list=[variables[1]])
    theirs.build(variables)
    ours = Optimiser(name, parameters)
    for _ in range(6):
        slopes = [draw.normal(size=array.shape).astype(np.float32) for array in arrays]
        theirs.apply([keras.ops.convert_to_tensor(slope) for slope in slopes])
        ours.step(arrays, slopes, 0.05)
    for array, variable in zip(arrays, variables, strict=True):
        np.testing.assert_allclose(array, keras.ops.convert_to_numpy(variable), atol=2e-5)


def test_parameters_are_read():
    assert read_parameters("sgd", [("momentum", "0.9"), ("nesterov", "True"), ("clipnorm", "1")]) == {
        "momentum": 0.9,
        "nesterov": True,
        "clipnorm": 1,
    }
    assert read_parameters("auto", []) == {}


@pytest.mark.parametrize(
    ("optimiser", "pairs", "says"),
    [
        ("adam", [("momentum", "0.9")], "'momentum' is not a parameter of adam; it has beta_1"),
        ("adam", [("beta_1", "high"), ("epsilon", "-1")], "beta_1 is 'high', not a number from 0; epsilon is '-1'"),
        ("sgd", [("nesterov", "1")], "not true or false"),
        ("sgd", [("momentum", "true")], "not a number"),
        ("rmsprop", [("rho", "1.5")], "must be below 1"),
        ("adam", [("epsilon", "NaN")], "not a number"),
        ("auto", [("epsilon", "1")], "model_optimizer is auto"),
    ],
)
def test_wrong_parameters_are_refused(optimiser, pairs, says):
    with pytest.raises(SettingsError) as refusal:
        read_parameters(optimiser, pairs)
    assert says in str(refusal.value)
