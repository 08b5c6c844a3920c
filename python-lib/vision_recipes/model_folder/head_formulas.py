"""How a head joins a picture's features with its columns, the same in numpy, OpenVINO and Keras.

The dense layer of the scores takes, in this order: "additive": the features and the columns. "interactions": these, and
the features times each column, one column after the other. "hidden": the units of a dense layer with tanh, which takes
the features and the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.model_folder.config import HeadConfig

SCORES, HIDDEN = "head_scores", "head_hidden"
"""The layers of a head that have weights."""

UNLISTED = ("extra", "head_columns", "head_dropout", HIDDEN, "head_row", "head_column", "head_outer", "head_products")
"""Layers of a head whose outputs cannot be extracted."""


@dataclass(frozen=True)
class HiddenLayer:
    """A dense layer with tanh: kernel float32 (features + columns, units), bias float32 (units)."""

    kernel: np.ndarray
    bias: np.ndarray


def variable_shapes(head: HeadConfig, classes: int) -> dict[str, list[tuple[int, ...]]]:
    """Return the shapes of the variables of each layer of a head that has weights."""
    joined = head.features + head.extra_width
    if head.columns == "hidden":
        return {HIDDEN: [(joined, head.hidden), (head.hidden,)], SCORES: [(head.hidden, classes), (classes,)]}
    products = head.features * head.extra_width if head.columns == "interactions" else 0
    return {SCORES: [(joined + products, classes), (classes,)]}


def logits(
    features: np.ndarray, extra: np.ndarray, weights: tuple[np.ndarray, np.ndarray], hidden: HiddenLayer | None = None
) -> np.ndarray:
    """Return the logits float32 (n, classes) of features (n, d) and columns (n, e); the kernel's length tells products.

    `weights` are the kernel and bias of the scores.
    """
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
