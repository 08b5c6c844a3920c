"""A kernel machine on the features that is a few plain layers: logistic regression on a Gaussian kernel's landmarks.

A picture's principal components, brought to unit length, are compared by a Gaussian kernel with those of some training
pictures, the landmarks (Nyström approximation: Williams and Seeger, Using the Nyström method to speed up kernel
machines, 2001). At unit length exp(-width |u - v|²) is exp(2 width (u·v - 1)): a dense layer with exp. The width and
the penalty are chosen by cross-validation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.model_folder.head_formulas import KernelLayer, unit_length
from vision_recipes.training.blas_threads import blas_threads
from vision_recipes.training.design_matrix import Design, design, without_columns
from vision_recipes.training.logistic_regression import Problem
from vision_recipes.training.regularisation import HeldOut, cross_validate, penalties

_WIDTHS = (0.5, 1.0, 0.25)
"""Widths to compare; between most pictures |u - v|² is about 2. The others are tried at the best ridge of the first."""
_RIDGES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""Ridges to choose from, strongest first, per unit of an average row's sum of squares."""
_MOST_LANDMARKS, _MOST_COMPONENTS = 1000, 256
_SMALLEST = 1e-5


@dataclass(frozen=True)
class UnitComponents:
    """Principal components of scaled features, at unit length, of rows (n, k), and of the landmarks among them."""

    design: Design
    rows: np.ndarray
    landmarks: np.ndarray

    def apply(self, images: LabelledImages) -> np.ndarray:
        """Return the components of other rows."""
        return unit_length(self.design.apply(without_columns(images)))

    @classmethod
    def of(cls, images: LabelledImages, seed: int) -> UnitComponents:
        """Return those of rows; at most 1,000 of them, drawn by the seed, are landmarks."""
        whole = design(without_columns(images))
        assert whole.components is not None
        found = replace(
            whole,
            matrix=whole.matrix[:, -_MOST_COMPONENTS:],
            components=np.ascontiguousarray(whole.components[:, -_MOST_COMPONENTS:]),
        )
        rows = unit_length(found.matrix)
        count = min(len(rows), _MOST_LANDMARKS)
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), count, replace=False))
        return cls(found, rows, rows[chosen])


@dataclass(frozen=True)
class KernelDesign:
    """The matrix of a linear solver, float32 (n, p): what a kernel makes of pictures, then `extra` table columns.

    `mapping` (landmarks, k) and `centre` (k,) make uncorrelated columns with mean 0 of the kernel's values.
    """

    components: UnitComponents
    width: float
    mapping: np.ndarray
    centre: np.ndarray
    matrix: np.ndarray

    @classmethod
    def of(cls, components: UnitComponents, width: float, extra: np.ndarray) -> KernelDesign:
        """Return the design of the rows of `components`."""
        landmarks = components.landmarks
        variances, vectors = np.linalg.eigh(_kernel(landmarks, landmarks, width).astype(np.float64))
        kept = variances > variances[-1] * _SMALLEST
        mapping = (vectors[:, kept] / np.sqrt(variances[kept])).astype(np.float32)
        pictures = _kernel(components.rows, landmarks, width) @ mapping
        centre = pictures.mean(axis=0)
        return cls(components, width, mapping, centre, np.concatenate([pictures - centre, extra], axis=1))

    def apply(self, images: LabelledImages) -> np.ndarray:
        """Return the matrix for other rows."""
        values = _kernel(self.components.apply(images), self.components.landmarks, self.width)
        return np.concatenate([values @ self.mapping - self.centre, images.extra.astype(np.float32)], axis=1)

    def fold(self, kernel: np.ndarray, bias: np.ndarray) -> tuple[KernelLayer, np.ndarray, np.ndarray]:
        """Return the layer for raw features, and the kernel (landmarks + extra, classes) and bias after it, float32."""
        count = len(self.centre)
        second = np.concatenate([self.mapping.astype(np.float64) @ kernel[:count], kernel[count:]])
        first, landmarks = self.components.design, np.float32(2 * self.width) * self.components.landmarks.T
        assert first.components is not None
        projection, offset = first.scaling.fold(first.components.astype(np.float64), np.zeros(first.width))
        biases = offset.astype(np.float32), np.full(landmarks.shape[1], -2 * self.width, np.float32)
        layer = KernelLayer(projection.astype(np.float32), biases[0], np.ascontiguousarray(landmarks), biases[1])
        return layer, second.astype(np.float32), (bias - self.centre @ kernel[:count]).astype(np.float32)


def held_out_kernel(images: LabelledImages, folds: np.ndarray, seed: int = 0) -> HeldOut:
    """Return what kernel machines on these features predict for the rows of a fold that they were not fitted to."""
    return _choose(images, images.one_hot(), folds, seed)[1]


def _choose(
    images: LabelledImages, targets: np.ndarray, folds: np.ndarray, seed: int, given: float = 0.0
) -> tuple[float, HeldOut]:
    """Return the width that predicts held-out rows best, and what it predicts; `given` is a ridge to take."""
    found: list[tuple[float, HeldOut]] = []
    with blas_threads(4.0 * len(images) * min(len(images), _MOST_LANDMARKS) * targets.shape[1]):
        components, ridges = UnitComponents.of(images, seed), _RIDGES
        for width in _WIDTHS:
            ready = KernelDesign.of(components, width, images.extra)
            problem = Problem(ready.matrix, targets, images.weights)
            unit = _unit(problem, len(ready.centre))
            penalty, strengths = penalties(problem, len(ready.centre), given)
            strengths = strengths if given else tuple(unit * ridge for ridge in ridges)
            found.append((width, cross_validate(problem, folds, penalty, strengths)))
            ridges = (found[0][1].strength.ridge / unit,) if len(found) == 1 else ridges
    return min(found, key=lambda each: each[1].loss)


def _unit(problem: Problem, count: int) -> float:
    return float(problem.squares[:count].sum()) / len(problem.matrix) or 1.0


def _kernel(rows: np.ndarray, landmarks: np.ndarray, width: float) -> np.ndarray:
    """Return the Gaussian kernel float32 (n, m) of rows (n, k) and landmarks (m, k), all of unit length."""
    return np.exp(np.float32(2 * width) * (rows @ landmarks.T - np.float32(1)))
