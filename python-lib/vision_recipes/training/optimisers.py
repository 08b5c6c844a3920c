"""The optimisers people know by name, with Keras' own parameter names, for a head on cached features.

They are those of Keras 3, step by step, so that `last` needs no framework; fine-tuning takes Keras' own classes with
the same parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.errors import SettingsError

_ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False}
PARAMETERS: dict[str, dict[str, float | bool]] = {
    "adam": _ADAM,
    "adamw": _ADAM | {"weight_decay": 0.004},
    "adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "sgd": {"momentum": 0.0, "nesterov": False},
    "rmsprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
}
"""The parameters of each optimiser and their defaults."""

EVERY = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm")
"""Parameters that each optimiser takes, off unless given."""

_BELOW_ONE = ("beta_1", "beta_2", "rho", "momentum")


def read_parameters(optimiser: str, pairs: Iterable[tuple[str, str]]) -> dict[str, float | bool]:
    """Return `model_custom_params_opti` as Keras arguments; raises SettingsError naming every mistake."""
    given, mistakes, pairs = {}, [], list(pairs)
    if pairs and optimiser == "auto":
        raise SettingsError(
            f"model_custom_params_opti: {', '.join(name for name, _ in pairs)} is given, but model_optimizer is auto, "
            f"which has no parameters. Choose {', '.join(PARAMETERS)}."
        )
    known = PARAMETERS.get(optimiser, {})
    for name, text in pairs:
        if name not in known and name not in EVERY:
            allowed = ", ".join([*known, *(other for other in EVERY if other not in known)])
            mistakes.append(f"{name!r} is not a parameter of {optimiser}; it has {allowed}")
            continue
        wanted: type = bool if isinstance(known.get(name), bool) else float
        try:
            value = json.loads(text.lower() if wanted is bool else text)
        except ValueError:
            value = None
        if (wanted is bool) != isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            mistakes.append(f"{name} is {text!r}, not {'true or false' if wanted is bool else 'a number from 0'}")
            continue
        if name in _BELOW_ONE and value >= 1:
            mistakes.append(f"{name} is {text!r}; it must be below 1")
            continue
        given[name] = value
    if mistakes:
        raise SettingsError(f"model_custom_params_opti: {'; '.join(mistakes)}")
    return given


@dataclass
class Optimiser:
    """Steps for a list of arrays, changed in place; the first array (the kernel) decays, biases do not."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    memory: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parameters = PARAMETERS[self.name] | self.parameters

    def step(self, arrays: list[np.ndarray], slopes: list[np.ndarray], rate: float) -> None:
        """Move the arrays against their slopes, at a learning rate."""
        self.steps += 1
        slopes = self._clipped(slopes)
        if decay := self.parameters.get("weight_decay"):
            arrays[0] -= np.float32(rate * decay) * arrays[0]
        move = {"adam": self._adam, "adamw": self._adam, "adagrad": self._adagrad, "sgd": self._sgd}
        for place, (array, slope) in enumerate(zip(arrays, slopes, strict=True)):
            array -= move.get(self.name, self._rmsprop)(place, slope, rate).astype(np.float32)

    def _kept(self, name: str, place: int, like: np.ndarray, first: float = 0.0) -> np.ndarray:
        kept = self.memory.setdefault(name, [])
        if len(kept) <= place:
            kept.append(np.full(like.shape, first, np.float32))
        return kept[place]

    def _clipped(self, slopes: list[np.ndarray]) -> list[np.ndarray]:
        given = self.parameters
        if given.get("clipnorm"):
            return [slope * min(1.0, given["clipnorm"] / max(_norm([slope]), 1e-12)) for slope in slopes]
        if given.get("global_clipnorm"):
            share = min(1.0, given["global_clipnorm"] / max(_norm(slopes), 1e-12))
            return [slope * share for slope in slopes]
        if given.get("clipvalue"):
            return [np.clip(slope, -given["clipvalue"], given["clipvalue"]) for slope in slopes]
        return slopes

    def _adam(self, place: int, slope: np.ndarray, rate: float) -> np.ndarray:
        given = self.parameters
        mean, square = self._kept("mean", place, slope), self._kept("square", place, slope)
        mean += (slope - mean) * (1 - given["beta_1"])
        square += (slope * slope - square) * (1 - given["beta_2"])
        rate *= np.sqrt(1 - given["beta_2"] ** self.steps) / (1 - given["beta_1"] ** self.steps)
        if given["amsgrad"]:
            largest = self._kept("largest", place, slope)
            np.maximum(largest, square, out=largest)
            square = largest
        return rate * mean / (np.sqrt(square) + given["epsilon"])

    def _adagrad(self, place: int, slope: np.ndarray, rate: float) -> np.ndarray:
        total = self._kept("total", place, slope, self.parameters["initial_accumulator_value"])
        total += slope * slope
        return rate * slope / np.sqrt(total + self.parameters["epsilon"])

    def _sgd(self, place: int, slope: np.ndarray, rate: float) -> np.ndarray:
        momentum = self.parameters["momentum"]
        if not momentum:
            return rate * slope
        speed = self._kept("speed", place, slope)
        speed *= momentum
        speed -= rate * slope
        return rate * slope - momentum * speed if self.parameters["nesterov"] else -speed

    def _rmsprop(self, place: int, slope: np.ndarray, rate: float) -> np.ndarray:
        given = self.parameters
        square = self._kept("square", place, slope)
        square += (slope * slope - square) * (1 - given["rho"])
        spread = square
        if given["centered"]:
            mean = self._kept("mean", place, slope)
            mean += (slope - mean) * (1 - given["rho"])
            spread = square - mean * mean
        move = rate * slope / np.sqrt(spread + given["epsilon"])
        if not given["momentum"]:
            return move
        speed = self._kept("speed", place, slope)
        speed *= given["momentum"]
        speed += move
        return speed


def _norm(slopes: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(float((slope.astype(np.float64) ** 2).sum()) for slope in slopes)))
