"""Optimizers by name: those of Keras, with parameters that are checked before any work."""

from __future__ import annotations

import inspect

import pytest

from vision_recipes.errors import SettingsError
from vision_recipes.settings import RetrainSettings
from vision_recipes.training.optimisers import EVERY, PARAMETERS, make_optimizer, read_parameters


@pytest.mark.keras
@pytest.mark.parametrize("name", PARAMETERS)
def test_the_table_holds_the_parameters_of_keras_and_their_defaults(name):
    import keras

    kind = type(make_optimizer(RetrainSettings(model_optimizer=name), 0.05))
    assert kind.__module__.startswith("keras.") and kind.__name__.lower() == name
    theirs = inspect.signature(getattr(keras.optimizers, kind.__name__)).parameters
    assert {key: theirs[key].default for key in PARAMETERS[name]} == PARAMETERS[name]
    assert set(EVERY) <= set(theirs)


@pytest.mark.keras
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("adam", {"amsgrad": True, "beta_1": 0.8}),
        ("adamw", {"weight_decay": 0.1}),
        ("adagrad", {"initial_accumulator_value": 0.2}),
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        ("rmsprop", {"centered": True, "momentum": 0.5, "rho": 0.8}),
        ("sgd", {"clipnorm": 0.5}),
        ("adam", {"clipvalue": 0.1}),
        ("sgd", {"global_clipnorm": 0.5}),
    ],
)
def test_optimizers_are_made_with_their_parameters(name, parameters):
    pairs = tuple((key, str(value)) for key, value in parameters.items())
    made = make_optimizer(RetrainSettings(model_optimizer=name, model_custom_params_opti=pairs), 0.05)
    assert {key: getattr(made, key) for key in parameters} == parameters
    assert float(made.learning_rate) == pytest.approx(0.05)


@pytest.mark.keras
def test_auto_is_adamw():
    assert type(make_optimizer(RetrainSettings(), 0.05)).__name__ == "AdamW"


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
