"""Features standardised and projected for a linear solver, and its solution as a layer for raw features."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.standardisation import HALF, Scaling, scaling_of
from vision_recipes.model_folder import head_formulas
from vision_recipes.model_folder.head_formulas import HiddenLayer, KernelLayer
from vision_recipes.training.blas_threads import blas_threads
from vision_recipes.training.epochs import Epoch


@dataclass
class LinearProbe:
    """A head for raw features: kernel float32 (d + extra, classes), bias float32; and how it came about.

    `columns` says how extra columns join the features, as head_formulas.py describes: the kernel has more rows with
    "interactions", and is for the units of the `hidden` layer with "hidden". With a `kernel_layer` it has a row for
    each landmark in place of the features. `compared` holds the accuracies of the ways that were compared, for
    metrics.json.
    """

    kernel: np.ndarray
    bias: np.ndarray
    how: str
    epochs: list[Epoch] = field(default_factory=list)
    columns: str = "additive"
    hidden: HiddenLayer | None = None
    kernel_layer: KernelLayer | None = None
    compared: dict[str, Any] = field(default_factory=dict)

    def logits(self, images: LabelledImages) -> np.ndarray:
        """Return the logits of rows, float32 (n, classes)."""
        weights = self.kernel, self.bias
        return head_formulas.logits(images.features, images.extra, weights, self.hidden, self.kernel_layer)

    def with_ignored_columns(self, count: int) -> LinearProbe:
        """Return the probe of features alone as one of features and so many columns, which make no difference."""
        nothing = np.zeros((count, len(self.bias)), np.float32)
        return replace(self, kernel=np.concatenate([self.kernel, nothing]))


def without_columns(images: LabelledImages) -> LabelledImages:
    """Return the rows without their extra columns."""
    return replace(images, extra=images.extra[:, :0], columns=())


@dataclass(frozen=True)
class Design:
    """The design matrix of a linear solver, float32 (n, p): components of the pictures, then `extra` table columns.

    `components` (d, k) maps components to standardised features, None when the solver works on the features themselves.
    """

    matrix: np.ndarray
    extra: int
    scaling: Scaling
    components: np.ndarray | None

    @property
    def width(self) -> int:
        """How many columns come from pictures."""
        return self.matrix.shape[1] - self.extra

    def apply(self, images: LabelledImages) -> np.ndarray:
        """Return the matrix for other rows."""
        return _matrix(self.scaling, self.components, images)

    def fold(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel (d + extra, classes) and bias for raw features, float32, from those of the matrix."""
        picture, table = kernel[: self.width], kernel[self.width :]
        if self.components is not None:
            picture = self.components.astype(np.float64) @ picture
        raw, bias = self.scaling.fold(picture, bias)
        return np.concatenate([raw, table]).astype(np.float32), bias.astype(np.float32)


def design(images: LabelledImages, *, project: bool = True, power: float = HALF) -> Design:
    """Return the solver's matrix of the rows; `power` is that of the scaling.

    `project` uses principal components, at most min(n, d) of them: for a penalty on squares the solution is the same as
    with all features (it lies in the span of the rows), it is found in fewer steps, and n may be small.
    """
    scaling = scaling_of(images.features, power)
    with blas_threads(2.0 * images.features.size * min(images.features.shape)):
        components = principal_components(scaling.apply(images.features)) if project else None
        return Design(_matrix(scaling, components, images), images.extra.shape[1], scaling, components)


def principal_components(centred: np.ndarray) -> np.ndarray:
    """Return the directions (d, k) in which centred rows (n, d) vary, those of largest variance last."""
    few = len(centred) < centred.shape[1]
    variances, vectors = np.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    kept = variances > max(variances[-1], 0.0) * 1e-6
    if not kept.any():
        return np.zeros((centred.shape[1], 1), np.float32)
    if few:
        return np.asarray(centred.T @ (vectors[:, kept] / np.sqrt(variances[kept])))
    return np.ascontiguousarray(vectors[:, kept])


def _matrix(scaling: Scaling, components: np.ndarray | None, images: LabelledImages) -> np.ndarray:
    scaled = scaling.apply(images.features)
    picture = scaled if components is None else scaled @ components
    return np.concatenate([picture, images.extra.astype(np.float32)], axis=1)
