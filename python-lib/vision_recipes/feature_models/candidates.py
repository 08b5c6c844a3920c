"""The models that are tried: a kind, what it sees, and its settings, each on an axis that the search walks along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from vision_recipes.feature_models.inputs import BOTH, COLUMNS, STACKED, VECTOR

NAMES = {
    "linear": ("logistic regression", "ridge regression"),
    "svm": ("support vector machine", "support vector regression"),
    "neighbours": ("nearest neighbours", "nearest neighbours"),
    "forest": ("random forest", "random forest"),
    "boosting": ("gradient boosting", "gradient boosting"),
}
"""What people call each kind of model, for classes and for numbers."""

_COMPONENTS = {"forest": 100, "boosting": 50}
"""How many components of the vector trees get; other models get all."""

_WEIGHT = (0.1, 0.3, 1.0, 3.0, 10.0)
_AXES: Mapping[str, Mapping[str, Sequence[float]]] = {
    "linear": {"penalty": (3e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)},
    "svm": {"c": (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0), "gamma": (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)},
    "neighbours": {"neighbours": (1, 2, 3, 5, 8, 12, 20, 40)},
    "forest": {"leaf_rows": (1, 2, 4, 8), "inputs_tried": (0.05, 0.1, 0.3, 0.6, 1.0)},
    "boosting": {"iterations": (25, 50, 100, 200, 400), "leaves": (3, 6, 12, 31)},
}
_START = {
    **{"penalty": 1e-4, "c": 10.0, "gamma": 0.3, "epsilon": 0.1, "neighbours": 5, "leaf_rows": 1},
    **{"inputs_tried": 0.1, "iterations": 100, "leaves": 6, "learning_rate": 0.1, "weight": 1.0},
}
_START_OF_NUMBERS = {"penalty": 1e-3, "c": 3.0, "inputs_tried": 0.3}
_WEIGHTED = ("linear", "svm", "neighbours")
_FIXED = {"svm": ("epsilon",), "boosting": ("learning_rate",)}


@dataclass(frozen=True)
class Candidate:
    """A model to be tried: its kind, the form of its inputs, its settings."""

    kind: str
    form: str
    settings: Mapping[str, float]

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from other candidates."""
        return (self.kind, self.form, *sorted(self.settings.items()))

    @property
    def components(self) -> int | None:
        """How many components of the vector it gets at most; None for all."""
        return _COMPONENTS.get(self.kind)

    @property
    def described(self) -> str:
        """The settings in words, without those that never change."""
        shown = {name: value for name, value in self.settings.items() if name not in _FIXED.get(self.kind, ())}
        return ", ".join(f"{name}={value:g}" for name, value in shown.items())

    def neighbours(self) -> Iterator[Candidate]:
        """Yield the candidates one step away on each axis."""
        axes = dict(_AXES[self.kind])
        if "weight" in self.settings:
            axes["weight"] = _WEIGHT
        for name, places in axes.items():
            here = places.index(self.settings[name])
            for step in (-1, 1):
                if 0 <= here + step < len(places):
                    settings = {**self.settings, name: places[here + step]}
                    yield replace(self, settings=MappingProxyType(settings))


def first_candidates(models: Sequence[str], *, has_columns: bool, classes: int) -> list[Candidate]:
    """Return each kind of model with its usual settings and each form of inputs, in the order to be tried."""
    forms = (BOTH, STACKED, VECTOR, COLUMNS) if has_columns else (VECTOR,)
    return [_usual(kind, form, classes) for form in forms for kind in models]


def _usual(kind: str, form: str, classes: int) -> Candidate:
    start = _START if classes else {**_START, **_START_OF_NUMBERS}
    names = [*_AXES[kind], *_FIXED.get(kind, ())]
    if kind in _WEIGHTED and form in (BOTH, STACKED):
        names.append("weight")
    settings = {name: start[name] for name in names}
    if kind == "forest" and form in (STACKED, COLUMNS):
        settings["inputs_tried"] = 0.6
    return Candidate(kind, form, MappingProxyType(settings))
