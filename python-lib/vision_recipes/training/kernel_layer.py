"""A kernel machine on the features that is a few plain layers: logistic regression on a Gaussian kernel's landmarks.

A picture's principal components, brought to unit length, are compared by a Gaussian kernel with those of some training
pictures, the landmarks (Nyström approximation: Williams and Seeger, Using the Nyström method to speed up kernel
machines, 2001). At unit length exp(-width |u - v|²) is exp(2 width (u·v - 1)): a dense layer with exp. The width and
the penalty are chosen by cross-validation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.errors import TrainingError
from vision_recipes.model_folder.head_formulas import KernelLayer, unit_length
from vision_recipes.training.blas_threads import blas_threads
from vision_recipes.training.design_matrix import Design, LinearProbe, design, without_columns
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.logistic_regression import Problem, solve
from vision_recipes.training.regularisation import HeldOut, Strength, cross_validate, held_out_folds, penalties
from vision_recipes.training.solver_history import SolverHistory
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted

KERNEL = "kernel"

WIDTHS = (0.5, 1.0, 0.25)
"""Widths to compare; between most pictures |u - v|² is about 2. The others are tried at the best ridge of the first."""
KERNEL_RIDGES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
"""Ridges to choose from, strongest first, per unit of an average row's sum of squares."""
MOST_COMPONENTS = 256
_MOST_LANDMARKS = 1000
_DEFAULT_RIDGE, _SMALLEST, _MOST_CELLS = 0.3, 1e-5, 5e8


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
            matrix=whole.matrix[:, -MOST_COMPONENTS:],
            components=np.ascontiguousarray(whole.components[:, -MOST_COMPONENTS:]),
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


@dataclass(frozen=True)
class KernelChoice:
    """The width and the ridge, per unit of an average row's sum of squares, that predict held-out rows best."""

    width: float = WIDTHS[0]
    ridge: float = _DEFAULT_RIDGE
    strength: Strength = Strength(_DEFAULT_RIDGE)
    held_out: HeldOut | None = None


def held_out_kernel(images: LabelledImages, folds: np.ndarray, seed: int = 0) -> HeldOut:
    """Return what kernel machines on these features predict for the rows of a fold that they were not fitted to."""
    found = _choose(images, images.one_hot(), folds, seed).held_out
    assert found is not None
    return found


def fit_kernel(
    train: LabelledImages, valid: LabelledImages, settings: RetrainSettings, on_epoch: Callable[[Epoch], None]
) -> LinearProbe:
    """Return the kernel machine fitted to the training rows; `valid` is only measured.

    Columns are added to the kernel's values. `model_l2` gives the ridge. Raises TrainingError for features that are too
    many to be projected.
    """
    if len(train) * min(train.features.shape[1], len(train)) > _MOST_CELLS:
        raise TrainingError(
            f"last_layer is 'kernel', but {len(train):,} training pictures with {train.features.shape[1]:,} features "
            "each are too many for it. Set last_layer to linear."
        )
    targets, given = train.one_hot(settings.label_smoothing), 2 * settings.model_l2 * len(train)
    seed, history = settings.random_seed, SolverHistory(train, valid)
    rows, folds = held_out_folds(train.targets, train.groups, seed)
    choice = _choose(train.take(rows), targets[rows], folds, seed, given) if len(rows) else KernelChoice()
    with blas_threads(_work(train)):
        ready = KernelDesign.of(UnitComponents.of(train, seed), choice.width, train.extra)
        problem, pictures = Problem(ready.matrix, targets, train.weights), len(ready.centre)
        penalty, _ = penalties(problem, pictures, given)
        history.follow((ready.matrix, ready.apply(valid)), choice.strength.factor)
        solution = solve(problem, penalty(given or choice.ridge * _unit(problem, pictures)), watch=history.step)
    factor = choice.strength.factor
    layer, kernel, bias = ready.fold(solution.kernel * factor, solution.bias * factor)
    origin = "with its regularisation as model_l2 sets it" if given else choice.strength.origin
    how = f"logistic regression on a Gaussian kernel of {counted(len(layer.landmarks_bias), 'landmark')} {origin}"
    probe = LinearProbe(kernel, bias, how, kernel_layer=layer)
    return replace(probe, epochs=history.epochs(probe, on_epoch))


def _choose(
    images: LabelledImages, targets: np.ndarray, folds: np.ndarray, seed: int, given: float = 0.0
) -> KernelChoice:
    """Return what predicts held-out rows best; `given` is the ridge to take, 0 to choose one."""
    found: list[KernelChoice] = []
    with blas_threads(_work(images)):
        components = UnitComponents.of(images, seed)
        ridges: tuple[float, ...] = KERNEL_RIDGES
        for width in WIDTHS:
            ready = KernelDesign.of(components, width, images.extra)
            problem = Problem(ready.matrix, targets, images.weights)
            unit = _unit(problem, len(ready.centre))
            penalty, _ = penalties(problem, len(ready.centre), given)
            held_out = cross_validate(problem, folds, penalty, (given,) if given else tuple(unit * r for r in ridges))
            found.append(KernelChoice(width, held_out.strength.ridge / unit, held_out.strength, held_out))
            ridges = (found[0].ridge,)
    return min(found, key=lambda each: each.held_out.loss if each.held_out else np.inf)


def _work(images: LabelledImages) -> float:
    """Return the operations of a product with the solver's matrix."""
    return 4.0 * len(images) * min(len(images), _MOST_LANDMARKS) * len(images.classes)


def _unit(problem: Problem, count: int) -> float:
    return float(problem.squares[:count].sum()) / len(problem.matrix) or 1.0


def _kernel(rows: np.ndarray, landmarks: np.ndarray, width: float) -> np.ndarray:
    """Return the Gaussian kernel float32 (n, m) of rows (n, k) and landmarks (m, k), all of unit length."""
    return np.exp(np.float32(2 * width) * (rows @ landmarks.T - np.float32(1)))
