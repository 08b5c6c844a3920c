"""The search: each candidate is judged on rows held out, the best ones in more settings, until the time is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from vision_recipes.feature_models.candidates import Candidate, first_candidates
from vision_recipes.feature_models.estimators import Task, fit_predictor
from vision_recipes.feature_models.folds import draw_folds
from vision_recipes.feature_models.inputs import FittedInputs, Rows
from vision_recipes.feature_models.losses import row_losses, row_weights
from vision_recipes.feature_models.predictors import Predictor, logits
from vision_recipes.feature_models.targets import ValueScale
from vision_recipes.group_bootstrap import Resampling
from vision_recipes.metrics import softmax
from vision_recipes.training.calibration import calibrate

log = logging.getLogger("vision_recipes")

MOST_ROWS = 10_000
"""Of more rows, so many take part in the search; the chosen model is fitted on all."""

_MOST_CLASSES = {"svm": 100, "boosting": 20}
"""Kinds that fit a model for each class are not tried with more; it would take hours."""

_CLEARLY = 0.002
"""Kinds that are worse than the best with more certainty than that are not tried in more settings."""


@dataclass(frozen=True)
class Judged:
    """A candidate with the loss of each row by the metric and by a smooth measure (n,), and its calibration."""

    candidate: Candidate
    losses: np.ndarray
    smooth: float
    factor: float


@dataclass
class Search:
    """What came of a search: all candidates judged, the best first, and what was not tried, with reasons.

    `held_out` are the predictions of the best for rows that it has not seen, of the first repetition: probabilities
    (n, classes), or numbers (n,). `weights` (n,) are those of the rows in the metric.
    """

    judged: list[Judged]
    held_out: np.ndarray
    resampling: Resampling
    weights: np.ndarray
    not_tried: dict[str, str] = field(default_factory=dict)

    @property
    def best(self) -> Judged:
        """The chosen candidate."""
        return self.judged[0]


class Judge:
    """Fits candidates on all folds but one and has them answer for that one."""

    def __init__(self, rows: Rows, metric: str, scale: ValueScale | None, original: np.ndarray) -> None:
        self.rows, self.metric, self._scale, self._original = rows, metric, scale, original
        self.task = Task(rows.classes, rows.seed)
        self.folds = [
            [(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in np.unique(fold)]
            for fold in draw_folds(rows.values, rows.groups, rows.seed, rows.classes)
        ]
        self._fitted = [[FittedInputs(rows.take(train)) for train, _ in folds] for folds in self.folds]
        self._held_out = [[rows.take(held_out) for _, held_out in folds] for folds in self.folds]

    def fit(self, candidate: Candidate, repeat: int, fold: int) -> Predictor:
        """Return the predictor of a candidate that has not seen a fold."""
        fitted = self._fitted[repeat][fold]
        inputs = fitted.inputs(candidate.form, candidate.settings.get("weight", 1.0), candidate.components)
        return fit_predictor(candidate.kind, candidate.settings, inputs, fitted.train.values, self.task)

    def inputs(self, candidate: Candidate, repeat: int, fold: int, other: Rows | None = None) -> np.ndarray:
        """Return the inputs of the rows of a fold, or those of others in their place."""
        rows = self._held_out[repeat][fold] if other is None else other
        weight = candidate.settings.get("weight", 1.0)
        return self._fitted[repeat][fold].new_inputs(candidate.form, weight, candidate.components, rows)

    def held_out(self, repeat: int, fold: int) -> Rows:
        """Return the rows of a fold."""
        return self._held_out[repeat][fold]

    def judge(self, candidate: Candidate) -> tuple[Judged, np.ndarray]:
        """Return how good a candidate is, and its predictions for rows held out, of the first repetition."""
        answers = np.zeros((len(self.folds), len(self.rows.rows), self.task.outputs))
        for repeat, folds in enumerate(self.folds):
            for fold, (_, held_out) in enumerate(folds):
                predictor = self.fit(candidate, repeat, fold)
                answers[repeat, held_out] = logits(predictor, self.inputs(candidate, repeat, fold), self.task.classes)
        factor = self._factor(answers)
        predicted = [self.predictions(one, factor) for one in answers]
        losses = [row_losses(self.metric, one, self._original) for one in predicted]
        smooth = [row_losses("log_loss", one, self._original) for one in predicted] if self.task.classes else losses
        return Judged(candidate, np.mean(losses, axis=0), float(np.mean(smooth)), factor), predicted[0]

    def losses(self, answers: np.ndarray, factor: float, places: np.ndarray) -> np.ndarray:
        """Return the loss of some rows (n,) by their answers (n, outputs)."""
        return row_losses(self.metric, self.predictions(answers, factor), self._original[places])

    def predictions(self, answers: np.ndarray, factor: float) -> np.ndarray:
        """Return probabilities (n, classes), or numbers (n,), of a predictor's answers (n, outputs)."""
        if self._scale is None:
            return softmax(answers * factor)
        return self._scale.from_model(answers[:, 0])

    def _factor(self, answers: np.ndarray) -> float:
        if not self.task.classes:
            return 1.0
        targets = np.tile(self.rows.values, len(answers))
        return calibrate(answers.reshape(-1, self.task.classes).astype(np.float32), targets).factor


def search(judge: Judge, models: tuple[str, ...], seconds: float) -> Search:
    """Return what came of trying the models; after so many seconds, no further candidate is begun.

    First each kind of model is tried with usual settings and each form of inputs. Then settings are changed step by
    step, for the kinds that are not clearly worse than the best, as long as it helps.
    """
    started = time.perf_counter()
    classes = judge.task.classes
    slow = {kind: most for kind, most in _MOST_CLASSES.items() if classes > most and kind in models}
    usual = first_candidates(
        [kind for kind in models if kind not in slow] or list(models[:1]),
        has_columns=judge.rows.encoded.shape[1] > 0,
        classes=classes,
    )
    weights = row_weights(judge.metric, judge.rows.values if classes else np.zeros(len(judge.rows.rows)))
    resampling = Resampling(judge.rows.groups, weights, judge.rows.seed)
    found = Search([], np.zeros(0), resampling, weights)
    found.not_tried = {kind: f"more than {most} classes" for kind, most in slow.items()}
    tried: dict[object, Judged] = {}

    def over() -> bool:
        return bool(tried) and time.perf_counter() - started > seconds

    def take(candidate: Candidate) -> Judged:
        judged, predicted = judge.judge(candidate)
        tried[candidate.key] = judged
        if not found.judged or _order(judged, weights) < _order(found.best, weights):
            found.judged.insert(0, judged)
            found.held_out = predicted
        else:
            found.judged.append(judged)
        mean = float(weights @ judged.losses)
        log.info("%s on %s, %s: loss %.5g", candidate.kind, candidate.form, candidate.described, mean)
        return judged

    for candidate in usual:
        if over():
            name = f"{candidate.kind} on {candidate.form}"
            found.not_tried[name] = "the time for the search was over"
        else:
            take(candidate)
    for start in _worth_a_search(found, weights):
        here = start
        while better := _next_step(here, tried, take, over):
            here = better
        if over():
            name = f"more settings of {start.candidate.kind} on {start.candidate.form}"
            found.not_tried[name] = "the time for the search was over"
    best, others = found.judged[0], found.judged[1:]
    found.judged = [best, *sorted(others, key=lambda judged: _order(judged, weights))]
    return found


def _order(judged: Judged, weights: np.ndarray) -> tuple[float, float]:
    return float(weights @ judged.losses), judged.smooth


def _worth_a_search(found: Search, weights: np.ndarray) -> Iterator[Judged]:
    """Yield the best of each kind, best first, unless it is worse than the best by more than chance explains."""
    ranked = sorted(found.judged, key=lambda judged: _order(judged, weights))
    best = found.resampling.means(ranked[0].losses)
    kinds: set[str] = set()
    for judged in ranked:
        if judged.candidate.kind in kinds:
            continue
        kinds.add(judged.candidate.kind)
        worse = found.resampling.means(judged.losses) - best
        if np.quantile(worse, _CLEARLY) <= 0:
            yield judged


def _next_step(
    here: Judged, tried: Mapping[object, Judged], take: Callable[[Candidate], Judged], over: Callable[[], bool]
) -> Judged | None:
    for candidate in here.candidate.neighbours():
        if candidate.key in tried:
            continue
        if over():
            return None
        judged = take(candidate)
        if judged.smooth < here.smooth:
            return judged
    return None
