"""The last layer trained on cached features: logistic regression, or the optimizer that was named."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.standardisation import FULL, HALF
from vision_recipes.images.reading import cpu_count
from vision_recipes.metrics import accuracy, cross_entropy
from vision_recipes.training.design_matrix import Design, LinearProbe, design
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.logistic_regression import Penalty, Problem, Solution, dropout_ridge, solve
from vision_recipes.training.regularisation import RIDGES, choose_strength
from vision_recipes.training_settings import RetrainSettings

_TABLE_RIDGE = 1.0
_DROPOUT_FITS = 2
_WORTH_THREADS = 2e8
_MOST_CELLS = 5e8
_MOST_PROBABILITIES = 2e7
_PROBABILITY_WORK = 60.0
_MOST_WORK = 2e12
_FEWEST_STEPS, _MOST_STEPS = 12, 300

OnEpoch = Callable[[Epoch], None]


def fit(
    train: LabelledImages, valid: LabelledImages, settings: RetrainSettings, on_epoch: OnEpoch = lambda epoch: None
) -> LinearProbe:
    """Return the layer fitted to the training rows; `valid` is only measured, but a named optimizer stops by it.

    `model_optimizer` "auto" is logistic regression; for features too many for its solver (over 5e8 numbers), Adam.
    The number of threads depends on the size of the task alone, so the same task gives the same bits.
    """
    from threadpoolctl import threadpool_limits

    work = 4.0 * len(train) * (train.features.shape[1] + train.extra.shape[1]) * len(train.classes)
    with threadpool_limits(cpu_count() if work > _WORTH_THREADS else 1):
        large = len(train) * min(train.features.shape[1], len(train)) > _MOST_CELLS
        if settings.model_optimizer == "auto" and not large:
            return _fit_regression(train, valid, settings, on_epoch)
        if settings.model_optimizer == "auto":
            settings = replace(settings, model_optimizer="adam")
        from vision_recipes.training.sgd_probe import fit_sgd

        return fit_sgd(train, valid, settings, on_epoch)


def _fit_regression(
    train: LabelledImages, valid: LabelledImages, settings: RetrainSettings, on_epoch: OnEpoch
) -> LinearProbe:
    """Return the regularised multinomial logistic regression on the training rows.

    Unless penalties are given or the task is very large, it is the mean of two, for features scaled by half and fully:
    which is better differs from task to task and cannot be measured on few rows, and the mean is rarely worse than the
    better one.
    """
    recorder = _StepRecorder(train, valid, on_epoch)
    given = settings.model_l1 or settings.model_l2 or settings.model_dropout
    once = given or len(train) * len(train.classes) > _MOST_PROBABILITIES
    found = [_fit_scaled(train, settings, power, recorder) for power in ((HALF,) if once else (HALF, FULL))]
    fraction = np.float32(1 / len(found))
    kernel = np.asarray(fraction * np.sum([head.kernel for head in found], axis=0, dtype=np.float32))
    bias = np.asarray(fraction * np.sum([head.bias for head in found], axis=0, dtype=np.float32))
    how = " and ".join(head.how for head in found)
    return LinearProbe(kernel, bias, f"logistic regression, {how}, {len(recorder.epochs)} steps", recorder.epochs)


def _fit_scaled(train: LabelledImages, settings: RetrainSettings, power: float, recorder: _StepRecorder) -> LinearProbe:
    """Return the layer for one scaling of the features. Each step of the solver counts as an epoch.

    The ridge is chosen on training rows alone, unless `model_l2` gives it; both penalties are on the kernel for scaled
    features.
    """
    ready = design(train, project=not (settings.model_l1 or settings.model_dropout), power=power)
    problem = Problem(ready.matrix, train.one_hot(settings.label_smoothing), train.weights)
    given = 2 * settings.model_l2 * len(train)

    def penalty_of(ridge: float) -> Penalty:
        """Return the ridge for picture features, with a mild one for table columns, which are few and chosen."""
        per_row = np.concatenate([np.full(ready.width, ridge), np.full(ready.extra, given or _TABLE_RIDGE)])
        return Penalty(per_row, settings.model_l1 * len(train))

    unit = float(problem.squares[: ready.width].sum()) / len(train) or 1.0
    strengths = (given,) if given else tuple(unit * ridge for ridge in RIDGES)
    strength = choose_strength(problem, train.groups, penalty_of, strengths, seed=settings.random_seed)
    penalty = penalty_of(strength.ridge)
    recorder.follow(ready, strength.factor)
    work = len(train) * len(train.classes) * (4.0 * problem.matrix.shape[1] + _PROBABILITY_WORK)
    steps = int(min(_MOST_STEPS, max(_FEWEST_STEPS, _MOST_WORK / work)))
    solution = solve(problem, penalty, watch=recorder.step, most_steps=steps)
    for _ in range(_DROPOUT_FITS if settings.model_dropout else 0):
        noise = dropout_ridge(ready.matrix, solution.logits(ready.matrix), train.weights, settings.model_dropout)
        softer = Penalty(penalty.ridge.reshape(len(penalty.ridge), -1) + noise, penalty.lasso)
        solution = solve(problem, softer, start=solution, watch=recorder.step, most_steps=steps)
    kernel, bias = ready.fold(solution.kernel * strength.factor, solution.bias * strength.factor)
    return LinearProbe(kernel, bias, str(strength))


class _StepRecorder:
    """Records the solver's steps as epochs: loss and accuracy of both sides, as the finished layer would have."""

    def __init__(self, train: LabelledImages, valid: LabelledImages, on_epoch: OnEpoch) -> None:
        self.epochs: list[Epoch] = []
        self._train, self._valid, self._on_epoch = train, valid, on_epoch
        self._since = time.perf_counter()

    def follow(self, ready: Design, factor: float) -> None:
        """Record the solutions for this matrix from now on."""
        self._factor, self._matrix, self._valid_matrix = np.float32(factor), ready.matrix, ready.apply(self._valid)

    def step(self, solution: Solution) -> None:
        loss, right = self._measure(solution, self._matrix, self._train)
        val_loss, val_right = None, None
        if len(self._valid):
            val_loss, val_right = self._measure(solution, self._valid_matrix, self._valid)
        now = time.perf_counter()
        epoch = Epoch(len(self.epochs) + 1, loss, right, val_loss, val_right, 0.0, now - self._since)
        self._since = now
        self.epochs.append(epoch)
        self._on_epoch(epoch)

    def _measure(self, solution: Solution, matrix: np.ndarray, images: LabelledImages) -> tuple[float, float]:
        logits = solution.logits(matrix) * self._factor
        return cross_entropy(logits, images.one_hot(), images.weights), accuracy(logits, images.targets)
