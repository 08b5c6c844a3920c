"""The last layer trained on cached features: logistic regression, or the optimizer that was named."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.standardisation import FULL, HALF
from vision_recipes.training.blas_threads import blas_threads
from vision_recipes.training.column_formulas import ADDITIVE, HIDDEN, Formula
from vision_recipes.training.design_matrix import LinearProbe
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.formula_choice import choose_formula
from vision_recipes.training.hidden_layer import HiddenProblem, cross_validate_hidden, hidden_design
from vision_recipes.training.kernel_layer import KERNEL, fit_kernel
from vision_recipes.training.logistic_regression import Penalty, Problem, dropout_ridge, solve
from vision_recipes.training.regularisation import Strength, choose_strength, held_out_folds, penalties
from vision_recipes.training.solver_history import SolverHistory
from vision_recipes.training_settings import RetrainSettings

log = logging.getLogger("vision_recipes")

_DROPOUT_FITS = 2
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

    `model_optimizer` "auto" is logistic regression; for features too many for its solver (over 5e8 numbers), Adam. How
    extra columns join the features is chosen first. `last_layer` "kernel" is fit_kernel, anything else linear.
    """
    if settings.last_layer == KERNEL and train.features.shape[1]:
        return fit_kernel(train, valid, settings, on_epoch)
    work = 4.0 * len(train) * (train.features.shape[1] + train.extra.shape[1]) * len(train.classes)
    with blas_threads(work):
        large = len(train) * min(train.features.shape[1], len(train)) > _MOST_CELLS
        if settings.model_optimizer == "auto" and large:
            settings = replace(settings, model_optimizer="adam")
        choice = None
        if train.extra.shape[1] and train.features.shape[1]:
            choice = choose_formula(train, settings)
        fitted = _fit(train, valid, settings, choice.formula if choice else Formula(ADDITIVE), on_epoch)
        return replace(fitted, compared=choice.described()) if choice else fitted


def _fit(
    train: LabelledImages, valid: LabelledImages, settings: RetrainSettings, formula: Formula, on_epoch: OnEpoch
) -> LinearProbe:
    if formula.name == HIDDEN:
        return _fit_hidden(train, valid, settings, on_epoch)
    if settings.model_optimizer == "auto":
        return _fit_regression(train, valid, settings, formula, on_epoch)
    from vision_recipes.training.sgd_probe import fit_sgd

    return fit_sgd(train, valid, settings, on_epoch, formula)


def _fit_regression(
    train: LabelledImages, valid: LabelledImages, settings: RetrainSettings, formula: Formula, on_epoch: OnEpoch
) -> LinearProbe:
    """Return the regularised multinomial logistic regression on the training rows.

    Unless penalties are given or the task is very large, it is the mean of two, for features scaled by half and fully:
    which is better differs from task to task and cannot be measured on few rows, and the mean is rarely worse than the
    better one.
    """
    history = SolverHistory(train, valid)
    given = settings.model_l1 or settings.model_l2 or settings.model_dropout
    once = given or len(train) * len(train.classes) > _MOST_PROBABILITIES
    powers = (HALF,) if once else (HALF, FULL)
    found = [_fit_scaled(train, valid, settings, formula, power, history) for power in powers]
    fraction = np.float32(1 / len(found))
    kernel = np.asarray(fraction * np.sum([head.kernel for head in found], axis=0, dtype=np.float32))
    bias = np.asarray(fraction * np.sum([head.bias for head in found], axis=0, dtype=np.float32))
    probe = LinearProbe(kernel, bias, f"logistic regression {found[0].how}")
    probe = formula.finished(probe, train)
    return replace(probe, epochs=history.epochs(probe, on_epoch))


def _fit_scaled(
    train: LabelledImages,
    valid: LabelledImages,
    settings: RetrainSettings,
    formula: Formula,
    power: float,
    history: SolverHistory,
) -> LinearProbe:
    """Return the layer for one scaling of the features.

    The ridge is chosen on training rows alone, unless `model_l2` gives it; both penalties are on the kernel for scaled
    features.
    """
    project = not (settings.model_l1 or settings.model_dropout)
    ready = formula.design(train, project=project, power=power)
    problem = Problem(ready.matrix, train.one_hot(settings.label_smoothing), train.weights)
    lasso = settings.model_l1 * len(train)
    penalty_of, strengths = penalties(problem, ready.width, 2 * settings.model_l2 * len(train), lasso)
    strength = choose_strength(problem, train.groups, penalty_of, strengths, seed=settings.random_seed)
    penalty = penalty_of(strength.ridge)
    history.follow((ready.matrix, ready.apply(formula.shown(valid))), strength.factor)
    work = len(train) * len(train.classes) * (4.0 * problem.matrix.shape[1] + _PROBABILITY_WORK)
    steps = int(min(_MOST_STEPS, max(_FEWEST_STEPS, _MOST_WORK / work)))
    solution = solve(problem, penalty, watch=history.step, most_steps=steps)
    for _ in range(_DROPOUT_FITS if settings.model_dropout else 0):
        noise = dropout_ridge(ready.matrix, solution.logits(ready.matrix), train.weights, settings.model_dropout)
        softer = Penalty(penalty.ridge.reshape(len(penalty.ridge), -1) + noise, penalty.lasso)
        solution = solve(problem, softer, start=solution, watch=history.step, most_steps=steps)
    kernel, bias = ready.fold(solution.kernel * strength.factor, solution.bias * strength.factor)
    _log_strength(strength, history)
    given = "with its regularisation as model_l2 sets it"
    return LinearProbe(kernel, bias, given if settings.model_l2 else strength.origin)


def _fit_hidden(
    train: LabelledImages, valid: LabelledImages, settings: RetrainSettings, on_epoch: OnEpoch
) -> LinearProbe:
    """Return a hidden layer of a few networks on features and columns, and the layer after it."""
    ready = hidden_design(train)
    matrix, targets = ready.apply(train), train.one_hot(settings.label_smoothing)
    problem = HiddenProblem(matrix, targets, train.weights, settings.random_seed)
    rows, folds = held_out_folds(train.targets, train.groups, settings.random_seed)
    strength = cross_validate_hidden(problem.take(rows), folds).strength
    history, factor = SolverHistory(train, valid), np.float32(strength.factor)
    history.follow((matrix, ready.apply(valid)), strength.factor)
    solution = problem.solve(strength.ridge, watch=history.step)
    hidden, kernel, bias = solution.fold(ready)
    _log_strength(strength, history)
    how = f"a hidden layer of {len(kernel)} units {strength.origin}"
    probe = LinearProbe(kernel * factor, bias * factor, how, columns=HIDDEN, hidden=hidden)
    return replace(probe, epochs=history.epochs(probe, on_epoch))


def _log_strength(strength: Strength, history: SolverHistory) -> None:
    log.debug(
        "ridge %g from %d held-out rows, logits multiplied by %.2f, %d solver steps so far",
        *(strength.ridge, strength.held_out_rows, strength.factor, history.steps),
    )
