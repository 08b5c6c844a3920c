"""How a head joins a picture's features with its columns, the same in numpy, OpenVINO and Keras.

With a kernel layer, its values take the place of the features: see KernelLayer.

The dense layer of the scores takes, in this order: "additive": the features and the columns. "interactions": these, and
the features times each column, one column after the other. "hidden": the units of a dense layer with tanh, which takes
the features and the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.model_folder.config import HeadConfig

SCORES, HIDDEN, PROJECTION, LANDMARKS = "head_scores", "head_hidden", "head_projection", "head_landmarks"
"""The layers of a head that have weights."""

UNLISTED = (
    *("extra", "head_columns", "head_dropout", HIDDEN, "head_row", "head_column", "head_outer", "head_products"),
    *(PROJECTION, "head_unit_length", LANDMARKS),
)
"""Layers of a head whose outputs cannot be extracted."""

_SHORTEST = 1e-12


@dataclass(frozen=True)
class HiddenLayer:
    """A dense layer with tanh: kernel float32 (features + columns, units), bias float32 (units)."""

    kernel: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class KernelLayer:
    """Values of a Gaussian kernel: a dense layer, scaling to unit length, a dense layer with exp; all float32.

    `projection` (features, components) and its bias (components,), `landmarks` (components, units) and their bias.
    """

    projection: np.ndarray
    projection_bias: np.ndarray
    landmarks: np.ndarray
    landmarks_bias: np.ndarray

    def units(self, features: np.ndarray) -> np.ndarray:
        """Return the values float32 (n, units) for features (n, d)."""
        projected = np.asarray(features, np.float32) @ self.projection + self.projection_bias
        return np.exp(unit_length(projected) @ self.landmarks + self.landmarks_bias)

    @property
    def weights(self) -> dict[str, list[np.ndarray]]:
        """Kernel and bias of each dense layer, by its name."""
        return {
            PROJECTION: [self.projection, self.projection_bias],
            LANDMARKS: [self.landmarks, self.landmarks_bias],
        }


def unit_length(rows: np.ndarray) -> np.ndarray:
    """Return rows (n, k) divided by their length; one of length 0 stays."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _SHORTEST))


def variable_shapes(head: HeadConfig, classes: int) -> dict[str, list[tuple[int, ...]]]:
    """Return the shapes of the variables of each layer of a head that has weights."""
    if head.landmarks:
        return {
            PROJECTION: [(head.features, head.components), (head.components,)],
            LANDMARKS: [(head.components, head.landmarks), (head.landmarks,)],
            SCORES: [(head.landmarks + head.extra_width, classes), (classes,)],
        }
    joined = head.features + head.extra_width
    if head.columns == "hidden":
        return {HIDDEN: [(joined, head.hidden), (head.hidden,)], SCORES: [(head.hidden, classes), (classes,)]}
    products = head.features * head.extra_width if head.columns == "interactions" else 0
    return {SCORES: [(joined + products, classes), (classes,)]}


def logits(
    features: np.ndarray,
    extra: np.ndarray,
    weights: tuple[np.ndarray, np.ndarray],
    hidden: HiddenLayer | None = None,
    kernel_layer: KernelLayer | None = None,
) -> np.ndarray:
    """Return the logits float32 (n, classes) of features (n, d) and columns (n, e); the kernel's length tells products.

    `weights` are the kernel and bias of the scores.
    """
    if kernel_layer is not None:
        features = kernel_layer.units(features)
    (kernel, bias), width = weights, features.shape[1]
    features, extra = np.asarray(features, np.float32), np.asarray(extra, np.float32)
    if hidden is not None:
        units = np.tanh(np.concatenate([features, extra], axis=1) @ hidden.kernel + hidden.bias)
        return np.asarray(units @ kernel + bias)
    found = features @ kernel[:width] + extra @ kernel[width : width + extra.shape[1]] + bias
    products = kernel[width + extra.shape[1] :].reshape(-1, width, len(bias)) if width else ()
    for place, factors in enumerate(products):
        used = np.flatnonzero(extra[:, place])
        found[used] += extra[used, place, None] * (features[used] @ factors)
    return np.asarray(found, np.float32)


def kernel_in_ir(ops: Any, features: Any, layer: KernelLayer) -> Any:
    """Return the values of a kernel layer as a node of an IR; `ops` is a module of OpenVINO's operations."""
    projected = ops.add(ops.matmul(features, layer.projection, False, False), layer.projection_bias[None])
    length = ops.sqrt(ops.reduce_sum(ops.multiply(projected, projected), np.array([1]), True))
    unit = ops.divide(projected, ops.maximum(length, np.array([[_SHORTEST]], np.float32)))
    return ops.exp(ops.add(ops.matmul(unit, layer.landmarks, False, False), layer.landmarks_bias[None]))


def kernel_in_keras(features: Any, head: HeadConfig) -> Any:
    """Return the values of a kernel layer as a tensor of Keras."""
    from keras import layers

    projected = layers.Dense(head.components, name=PROJECTION)(features)
    unit = layers.UnitNormalization(name="head_unit_length")(projected)
    return layers.Dense(head.landmarks, "exponential", name=LANDMARKS)(unit)


def join_in_ir(ops: Any, features: Any, extra: Any, head: HeadConfig, hidden: HiddenLayer | None) -> Any:
    """Return the vector for the scores as a node of an IR; `ops` is a module of OpenVINO's operations."""
    joined = ops.concat([features, extra], 1)
    if hidden is not None:
        return ops.tanh(ops.add(ops.matmul(joined, hidden.kernel, False, False), hidden.bias[None]))
    if head.columns != "interactions":
        return joined
    row = ops.reshape(features, np.array([0, 1, head.features]), True)
    column = ops.reshape(extra, np.array([0, head.extra_width, 1]), True)
    products = ops.reshape(ops.multiply(column, row), np.array([0, head.features * head.extra_width]), True)
    return ops.concat([joined, products], 1)


def join_in_keras(features: Any, extra: Any, head: HeadConfig) -> Any:
    """Return the vector for the scores as a tensor of Keras."""
    from keras import layers

    joined = [features, extra]
    if head.columns == "interactions":
        row = layers.Reshape((1, head.features), name="head_row")(features)
        column = layers.Reshape((head.extra_width, 1), name="head_column")(extra)
        outer = layers.Multiply(name="head_outer")([column, row])
        joined.append(layers.Reshape((head.features * head.extra_width,), name="head_products")(outer))
    vector = layers.Concatenate(name="head_columns")(joined)
    return layers.Dense(head.hidden, "tanh", name=HIDDEN)(vector) if head.hidden else vector
