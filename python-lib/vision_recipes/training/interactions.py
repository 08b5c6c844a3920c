"""The design matrix of picture features times columns, by principal components of all their products.

There are as many products as features times columns, so they are never written out: the scalar product of two rows'
products is that of their features times that of their columns, which gives the components (kernel principal component
analysis, Schölkopf, Smola, Müller 1998; from some of the rows when there are many, Williams and Seeger 2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.standardisation import HALF, Scaling, scaling_of

MOST_REFERENCES = 1000
_PRODUCTS = 8.0
"""How much a product weighs against the feature alone: a penalty on both leaves products that much more freedom."""


@dataclass(frozen=True)
class InteractionDesign:
    """The design matrix float32 (n, p): components of features and their products, then `extra` table columns.

    Components are the scalar products with scaled `features` (m, d) and `columns` (m, e) of some rows times
    `directions` (m, k); `weights` (e,) say how much the products with each column count.
    """

    matrix: np.ndarray
    extra: int
    scaling: Scaling
    weights: np.ndarray
    features: np.ndarray
    columns: np.ndarray
    directions: np.ndarray

    @property
    def width(self) -> int:
        """How many columns are components."""
        return self.matrix.shape[1] - self.extra

    def apply(self, images: LabelledImages) -> np.ndarray:
        """Return the matrix for other rows."""
        products = _products(self.scaling.apply(images.features), images.extra, self)
        return np.concatenate([products @ self.directions, images.extra], axis=1).astype(np.float32)

    def fold(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel (d + e + e d, classes) and bias for raw features, their columns and their products, float32."""
        references = self.directions.astype(np.float64) @ kernel[: self.width]
        picture, bias = self.scaling.fold(self.features.T @ references, bias)
        table, products = kernel[self.width :].astype(np.float64), []
        for place, weight in enumerate(self.weights):
            used = np.flatnonzero(self.columns[:, place])
            scaled = self.features[used].T @ (weight * self.columns[used, place, None] * references[used])
            raw, shift = self.scaling.fold(scaled, np.zeros(len(bias)))
            table[place] += shift
            products.append(raw)
        return np.concatenate([picture, table, *products]).astype(np.float32), bias.astype(np.float32)


def interaction_design(images: LabelledImages, *, with_numbers: bool = True, power: float = HALF) -> InteractionDesign:
    """Return the solver's matrix of the rows; `power` is that of the scaling.

    A column that is a number and categories as well, such as the place of a photo, is multiplied as both, or as
    categories alone: without `with_numbers` it makes no difference how far apart two values are.
    """
    scaling, every = scaling_of(images.features, power), -(-len(images) // MOST_REFERENCES)
    features, columns = scaling.apply(images.features[::every]), images.extra[::every].astype(np.float32)
    weights = _PRODUCTS * np.where(repeated_numbers(images) & (not with_numbers), 0.0, 1.0).astype(np.float32)
    empty = np.zeros((0, 0), np.float32)
    blank = InteractionDesign(empty, images.extra.shape[1], scaling, weights, features, columns, empty)
    variances, vectors = np.linalg.eigh(_products(features, columns, blank))
    kept = variances > max(variances[-1], 0.0) * 1e-6
    directions = vectors[:, kept] / np.sqrt(variances[kept])
    blank = InteractionDesign(empty, images.extra.shape[1], scaling, weights, features, columns, directions)
    return InteractionDesign(
        blank.apply(images), images.extra.shape[1], scaling, weights, features, columns, directions
    )


def repeated_numbers(images: LabelledImages) -> np.ndarray:
    """Return which encoded values (e,) are numbers of columns that are categories as well."""
    categories = {column.name for column in images.columns if column.kind == "category"}
    marks = [column.kind == "number" and column.name in categories for column in images.columns]
    widths = [column.width for column in images.columns]
    return np.repeat(np.array(marks, bool), widths) if widths else np.zeros(images.extra.shape[1], bool)


def _products(features: np.ndarray, columns: np.ndarray, design: InteractionDesign) -> np.ndarray:
    """Return the scalar products (n, m) of rows' features and weighted products with those of the references."""
    similar = 1 + (columns.astype(np.float32) * design.weights) @ design.columns.T
    return np.asarray((features @ design.features.T) * similar)
