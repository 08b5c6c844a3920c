"""A model of feature vectors: what config.json says of it, its arrays, and its answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from vision_recipes.feature_model_settings import CLASSIFICATION, REGRESSION
from vision_recipes.feature_models.input_columns import InputColumn, encode_columns
from vision_recipes.feature_models.inputs import COLUMNS, FORMS, STACKED, VectorScore, assemble
from vision_recipes.feature_models.predictors import KINDS, Predictor, array_names, dtype_of, logits
from vision_recipes.feature_models.targets import ValueScale
from vision_recipes.feature_models.vector_basis import VectorBasis
from vision_recipes.metrics import softmax
from vision_recipes.model_folder.config import FileEntry
from vision_recipes.strict_json import require

MOST_BYTES = 1 << 30
"""Bytes that all arrays of a model may have."""

MOST_LENGTH, MOST_COLUMNS = 1_000_000, 10_000


@dataclass(frozen=True)
class VectorConfig:
    """The vectors that a model takes: how many numbers, and their length (norm) in the training, for a comparison."""

    column: str
    length: int
    norm_mean: float
    norm_deviation: float


@dataclass(frozen=True)
class FeatureModelConfig:
    """config.json of a feature model folder.

    `task` is classification, with `classes`, or regression, with `values`; `factor` multiplies the logits. `form` says
    what the model sees of a row: its vector, `columns` (each times `weight`), or both. `half_width` is half of the 90 %
    interval of a value, in deviations, or None when it is not known. `arrays` are the shapes in the file `model`.
    """

    task: str
    target: str
    kind: str
    form: str
    settings: dict[str, float]
    vector: VectorConfig
    columns: tuple[InputColumn, ...]
    weight: float
    classes: tuple[str, ...]
    values: ValueScale | None
    factor: float
    half_width: float | None
    combine_column: str
    arrays: dict[str, tuple[int, ...]]
    model: FileEntry
    trained_on: str
    versions: dict[str, str]

    def __post_init__(self) -> None:
        require(self.task in (CLASSIFICATION, REGRESSION), f"task {self.task[:40]!r} is not known")
        require(self.form in FORMS, f"form {self.form[:40]!r} is not known")
        require(self.kind in KINDS, f"kind {self.kind[:40]!r} is not one of {', '.join(KINDS)}")
        require(
            (self.values is None) == bool(self.classes), "classes are for a classification, values for a regression"
        )
        require((self.task == CLASSIFICATION) == bool(self.classes), f"classes do not fit the task {self.task}")
        require(len(set(self.classes)) == len(self.classes) != 1, "classes must be different, two at least")
        require(1 <= self.vector.length <= MOST_LENGTH, f"vector.length must be between 1 and {MOST_LENGTH}")
        require(len(self.columns) <= MOST_COLUMNS, f"there may be {MOST_COLUMNS} columns")
        require(len({column.name for column in self.columns}) == len(self.columns), "columns must have different names")
        require(self.factor > 0 and self.weight > 0, "factor and weight must be above 0")
        require(self.values is None or min(self.values.unit, self.values.deviation) > 0, "values must have a scale")
        require(set(self.arrays) == set(self.array_names), f"arrays must be {', '.join(self.array_names)}")
        require(self.model.name.endswith(".npz"), f"model {self.model.name!r} is not a .npz file")
        require(all(size >= 0 for shape in self.arrays.values() for size in shape), "sizes cannot be below 0")
        require(sum(self.sizes.values()) <= MOST_BYTES, f"arrays may have {MOST_BYTES} bytes")

    @property
    def outputs(self) -> int:
        """How many numbers the predictor answers."""
        return len(self.classes) or 1

    @property
    def array_names(self) -> tuple[str, ...]:
        """The names of the arrays that such a model has."""
        names: tuple[str, ...] = () if self.form == COLUMNS else ("basis_mean", "basis_components")
        names += ("score_coef", "score_intercept") if self.form == STACKED else ()
        return names + array_names(self.kind)

    @property
    def sizes(self) -> dict[str, int]:
        """The bytes of each array."""
        return {name: math.prod(shape) * array_dtype(name).itemsize for name, shape in self.arrays.items()}


def array_dtype(name: str) -> np.dtype[Any]:
    """Return the type of an array by its name."""
    if name.startswith(("basis_", "score_")):
        return np.dtype(np.float32 if name.startswith("basis_") else np.float64)
    return dtype_of(name)


@dataclass(frozen=True)
class FeatureModel:
    """A model of feature vectors, ready to answer."""

    config: FeatureModelConfig
    arrays: Mapping[str, np.ndarray]

    @cached_property
    def predictor(self) -> Predictor:
        """What computes the answers."""
        return KINDS[self.config.kind](**{name: self.arrays[name] for name in array_names(self.config.kind)})

    def check(self) -> None:
        """Raise ValueError unless the arrays fit each other and the description."""
        config, width = self.config, sum(column.width for column in self.config.columns)
        for name in self.arrays:
            values = self.arrays[name]
            require(values.dtype == array_dtype(name), f"{name} holds {values.dtype}, not {array_dtype(name)}")
            require(values.dtype.kind != "f" or np.isfinite(values).all(), f"{name} holds numbers that are not finite")
        components = 0
        if config.form != COLUMNS:
            require(self.arrays["basis_components"].ndim == 2, "basis_components must have two dimensions")
            components = self.arrays["basis_components"].shape[1]
            self._require_shape("basis_mean", config.vector.length)
            self._require_shape("basis_components", config.vector.length, components)
        if config.form == STACKED:
            self._require_shape("score_coef", components, config.outputs)
            self._require_shape("score_intercept", config.outputs)
        inputs = {"vector": components, "both": components + width, "columns": width, STACKED: config.outputs + width}
        self.predictor.check(inputs[config.form], config.outputs)

    def _require_shape(self, name: str, *shape: int) -> None:
        require(self.arrays[name].shape == shape, f"{name} is {self.arrays[name].shape} where {shape} is needed")

    def answers(self, vectors: np.ndarray, cells: Mapping[str, Sequence[Any]]) -> np.ndarray:
        """Return probabilities (n, classes), or values (n,), of vectors (n, d) and the cells of the columns."""
        config, count = self.config, len(vectors)
        encoded = encode_columns(config.columns, cells, count) * np.float32(config.weight)
        components = np.zeros((count, 0), np.float32)
        if config.form != COLUMNS:
            basis = VectorBasis(self.arrays["basis_mean"], self.arrays["basis_components"])
            components = basis.apply(vectors, np.arange(count))
        scores = np.zeros((count, 0), np.float32)
        if config.form == STACKED:
            scores = VectorScore(self.arrays["score_coef"], self.arrays["score_intercept"]).apply(components)
        found = logits(self.predictor, assemble(config.form, components, scores, encoded), len(config.classes))
        if config.values is None:
            return softmax(found * config.factor)
        return config.values.from_model(found[:, 0])

    def intervals(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the ends of the 90 % interval of each value (n,); None when it is not known."""
        scale, half = self.config.values, self.config.half_width
        if scale is None or half is None:
            return None
        middle = scale.to_model(values)
        return scale.from_model(middle - half), scale.from_model(middle + half)


def arrays_of(predictor: Predictor) -> dict[str, np.ndarray]:
    """Return the arrays of a predictor by name, as they are stored."""
    return {one.name: np.asarray(getattr(predictor, one.name), dtype_of(one.name)) for one in fields(predictor)}
