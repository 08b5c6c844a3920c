"""The optimizers that may be chosen by name: their parameters, checked before any work, and Keras' classes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from vision_recipes.errors import SettingsError
from vision_recipes.settings import RetrainSettings

_ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False}
PARAMETERS: dict[str, dict[str, float | bool]] = {
    "adam": _ADAM,
    "adamw": _ADAM | {"weight_decay": 0.004},
    "adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "sgd": {"momentum": 0.0, "nesterov": False},
    "rmsprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
}
"""The parameters of each optimizer and Keras' defaults, which keep their type."""

EVERY = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm")
"""Parameters that each optimizer takes, off unless given."""

_BELOW_ONE = ("beta_1", "beta_2", "rho", "momentum")
_CLASSES = {"adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad", "sgd": "SGD", "rmsprop": "RMSprop"}


def make_optimizer(settings: RetrainSettings, learning_rate: float) -> Any:
    """Return the keras.optimizers.Optimizer that the settings name; "auto" is AdamW. Raises SettingsError."""
    import keras

    parameters = read_parameters(settings.model_optimizer, settings.model_custom_params_opti)
    name = "adamw" if settings.model_optimizer == "auto" else settings.model_optimizer
    return getattr(keras.optimizers, _CLASSES[name])(learning_rate=learning_rate, **parameters)


def read_parameters(optimiser: str, pairs: Iterable[tuple[str, str]]) -> dict[str, float | bool]:
    """Return `model_custom_params_opti` as Keras arguments; raises SettingsError with every problem."""
    given, problems, pairs = {}, [], list(pairs)
    if pairs and optimiser == "auto":
        raise SettingsError(
            f"model_custom_params_opti: {', '.join(name for name, _ in pairs)} is given, but model_optimizer is auto, "
            f"which has no parameters. Choose {', '.join(PARAMETERS)}."
        )
    known = PARAMETERS.get(optimiser, {})
    for name, text in pairs:
        if name not in known and name not in EVERY:
            allowed = ", ".join([*known, *(other for other in EVERY if other not in known)])
            problems.append(f"{name!r} is not a parameter of {optimiser}; it has {allowed}")
            continue
        expected: type = bool if isinstance(known.get(name), bool) else float
        try:
            value = json.loads(text.lower() if expected is bool else text)
        except ValueError:
            value = None
        if (expected is bool) != isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            problems.append(f"{name} is {text!r}, not {'true or false' if expected is bool else 'a number from 0'}")
            continue
        if name in _BELOW_ONE and value >= 1:
            problems.append(f"{name} is {text!r}; it must be below 1")
            continue
        given[name] = value
    if problems:
        raise SettingsError(f"model_custom_params_opti: {'; '.join(problems)}")
    return given
