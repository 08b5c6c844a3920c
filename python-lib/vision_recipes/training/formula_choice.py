"""How extra columns join the features, chosen by cross-validation on the training rows: the simplest that is as good.

Each formula predicts the same held-out rows, groups kept together. The simpler one stays unless the mean loss of
another is lower by more than the standard error of the difference (the one-standard-error rule: Breiman et al. 1984),
and it is less accurate or much less certain.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.metrics import softmax
from vision_recipes.model_folder.config import MAX_PRODUCTS
from vision_recipes.training.column_formulas import ADDITIVE, HIDDEN, INTERACTIONS, PICTURE_ONLY, Formula
from vision_recipes.training.hidden_layer import HiddenProblem, cross_validate_hidden, hidden_design
from vision_recipes.training.interactions import repeated_numbers
from vision_recipes.training.logistic_regression import Problem
from vision_recipes.training.regularisation import HeldOut, cross_validate, held_out_folds, penalties
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted, percent

log = logging.getLogger("vision_recipes")

_MOST_ROWS, _MOST_WORK = 1000, 2e7
_MOST_WEIGHTS = 20_000_000
_LEAST, _TIE = 1e-12, 0.1


@dataclass(frozen=True)
class FormulaChoice:
    """The chosen formula, and the cross-validated accuracy of each that was compared, by name, simplest first."""

    formula: Formula
    accuracies: dict[str, float] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """Return the choice for metrics.json."""
        return {"chosen": self.formula.name} | {f"accuracy_{name}": value for name, value in self.accuracies.items()}

    def __str__(self) -> str:
        words = self.formula.name.replace("_", " ")
        if not self.accuracies:
            return f"columns: {words}"
        gained = self.accuracies[self.formula.name] - self.accuracies[PICTURE_ONLY]
        return f"columns: {words} ({100 * gained:+.1f} points over the picture only, in cross-validation)"


def choose_formula(train: LabelledImages, settings: RetrainSettings) -> FormulaChoice:
    """Return the formula for training rows with columns; "additive" where too few rows can be held out."""
    classes = len(train.classes)
    most_rows = int(min(_MOST_ROWS, np.sqrt(_MOST_WORK / classes)))
    rows, folds = held_out_folds(train.targets, train.groups, settings.random_seed, most_rows)
    if not len(rows):
        log.info("columns join the features additively: too few pictures to compare other ways")
        return FormulaChoice(Formula(ADDITIVE))
    part = train.take(rows)
    found: dict[str, tuple[Formula, HeldOut]] = {}
    for formula in _candidates(train, settings):
        held_out = _held_out(formula, part, folds, settings)
        if formula.name not in found or held_out.loss < found[formula.name][1].loss:
            found[formula.name] = formula, held_out
    accuracies = {name: _accuracy(held_out, part) for name, (_, held_out) in found.items()}
    losses = np.stack([_losses(held_out, part) for _, held_out in found.values()])
    chosen = list(found)[_simplest(losses, np.array(list(accuracies.values())))]
    choice = FormulaChoice(found[chosen][0], accuracies)
    figures = ", ".join(f"{name.replace('_', ' ')} {percent(value)}" for name, value in choice.accuracies.items())
    log.info("accuracy on %s held out of training: %s; %s", counted(len(rows), "picture"), figures, choice)
    return choice


def _candidates(train: LabelledImages, settings: RetrainSettings) -> Iterator[Formula]:
    """Yield the formulas to compare, simplest first."""
    yield Formula(PICTURE_ONLY)
    yield Formula(ADDITIVE)
    products, classes = train.features.shape[1] * train.extra.shape[1], len(train.classes)
    if settings.model_l1:
        log.info("columns: model_l1 is for single features, so neither interactions nor a hidden layer are tried")
        return
    if products > MAX_PRODUCTS or products * classes > _MOST_WEIGHTS:
        log.info("columns: interactions are not tried, they would have %d products of features and columns", products)
    else:
        for with_numbers in (True, False) if repeated_numbers(train).any() else (True,):
            yield Formula(INTERACTIONS, with_numbers)
    given = settings.model_l2 or settings.model_dropout
    if settings.model_optimizer == "auto" and not given:
        yield Formula(HIDDEN)


def _held_out(formula: Formula, part: LabelledImages, folds: np.ndarray, settings: RetrainSettings) -> HeldOut:
    """Return what a formula predicts for held-out rows, at its best strength."""
    targets = part.one_hot(settings.label_smoothing)
    if formula.name == HIDDEN:
        matrix = hidden_design(part).apply(part)
        return cross_validate_hidden(HiddenProblem(matrix, targets, part.weights, settings.random_seed), folds)
    ready = formula.design(part)
    problem = Problem(ready.matrix, targets, part.weights)
    penalty, strengths = penalties(problem, ready.width, 2 * settings.model_l2 * len(part))
    return cross_validate(problem, folds, penalty, strengths)


def _losses(held_out: HeldOut, part: LabelledImages) -> np.ndarray:
    """Return the weighted cross-entropy of each group of rows, in units of an average group's weight."""
    probabilities = softmax(held_out.logits.astype(np.float64))[np.arange(len(part)), part.targets]
    each = np.where(held_out.predicted, -np.log(np.maximum(probabilities, _LEAST)), 0.0) * part.weights
    _, groups = np.unique(part.groups, return_inverse=True)
    return np.bincount(groups, weights=each) * (groups.max() + 1) / part.weights.sum()


def _accuracy(held_out: HeldOut, part: LabelledImages) -> float:
    right = (held_out.logits.argmax(axis=1) == part.targets)[held_out.predicted]
    return float(np.average(right, weights=part.weights[held_out.predicted]))


def _simplest(losses: np.ndarray, accuracies: np.ndarray) -> int:
    """Return the first formula that is as good as the one of least loss; losses are (formulas, groups).

    As good means that its mean loss is higher by no more than the standard error of the difference; or by no more than
    _TIE, if it is as accurate.
    """
    best = int(losses.mean(axis=1).argmin())
    behind = losses - losses[best]
    error = behind.std(axis=1) / np.sqrt(losses.shape[1])
    allowed = np.where(accuracies >= accuracies[best], np.maximum(error, _TIE), error)
    return int(np.flatnonzero(behind.mean(axis=1) <= allowed)[0])
