"""How extra columns join the features, chosen by cross-validation on the training rows: the simplest that is as good.

Each formula predicts the same held-out rows, groups kept together. From the simplest on, another takes the place of the
one before only when it is surely better: one more picture right of a few hundred is chance.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.metrics import softmax
from vision_recipes.model_folder.config import MAX_PRODUCTS
from vision_recipes.training.column_formulas import ADDITIVE, HIDDEN, INTERACTIONS, PICTURE_ONLY, Formula
from vision_recipes.training.feature_choice import standard_errors_above
from vision_recipes.training.hidden_layer import HiddenProblem, cross_validate_hidden, hidden_design
from vision_recipes.training.interactions import repeated_numbers
from vision_recipes.training.logistic_regression import Problem
from vision_recipes.training.regularisation import HeldOut, cross_validate, held_out_folds, penalties
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted, percent

log = logging.getLogger("vision_recipes")

_MOST_ROWS, _MOST_WORK = 1000, 2e7
_MOST_WEIGHTS = 20_000_000
_LEAST = 1e-12
_SURE, _SURE_ADDITIVE = (2.0, 1.5), (1.5, 0.5)
"""By how many standard errors a formula has to be better, in log loss and in accuracy; one picture more is 1 of them.

Adding columns up takes few weights, and so does little harm where it is wrong.
"""
_MUCH = 0.1
"""A log loss lower by so much says that a formula is better even where no more labels are right."""


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
    losses, hits = (np.stack([each(held_out, part) for _, held_out in found.values()]) for each in (_losses, _hits))
    chosen = _simplest(list(found), losses, hits)
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
    return _by_group(-np.log(np.maximum(probabilities, _LEAST)), held_out, part)


def _hits(held_out: HeldOut, part: LabelledImages) -> np.ndarray:
    """Return the weighted share of right labels of each group of rows, in units of an average group's weight."""
    return _by_group((held_out.logits.argmax(axis=1) == part.targets).astype(np.float64), held_out, part)


def _by_group(each: np.ndarray, held_out: HeldOut, part: LabelledImages) -> np.ndarray:
    _, groups = np.unique(part.groups, return_inverse=True)
    weighted = np.where(held_out.predicted, each, 0.0) * part.weights
    return np.bincount(groups, weights=weighted) * (groups.max() + 1) / part.weights.sum()


def _accuracy(held_out: HeldOut, part: LabelledImages) -> float:
    right = (held_out.logits.argmax(axis=1) == part.targets)[held_out.predicted]
    return float(np.average(right, weights=part.weights[held_out.predicted]))


def _simplest(names: Sequence[str], losses: np.ndarray, hits: np.ndarray) -> str:
    """Return the first formula that no later one is surely better than; figures are (formulas, groups)."""
    chosen = 0
    for other in range(1, len(names)):
        sure_loss, sure_accuracy = _SURE_ADDITIVE if names[other] == ADDITIVE else _SURE
        lower, higher = losses[chosen] - losses[other], hits[other] - hits[chosen]
        more_accurate = standard_errors_above(higher) > sure_accuracy
        much_surer = lower.mean() > _MUCH and higher.mean() >= 0
        if standard_errors_above(lower) > sure_loss and (more_accurate or much_surer):
            chosen = other
    return names[chosen]
