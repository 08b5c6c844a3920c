"""Label noise: how many labels are wrong, between which classes, and how likely each one is.

A given label is the true class, or with some rate another one: a transition matrix, as in Natarajan et al., Learning
with noisy labels (2013), and Patrini et al. (2017). What classifiers trained without a picture say of its true class
is calibrated together with these rates by maximum likelihood, so that a classifier that confuses classes by itself
explains its own errors, and only labels that it cannot explain are taken for wrong. The rates have a prior; all
values, and three forms of the matrix, count by how well they explain the labels (Bayesian model averaging).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from vision_recipes.metrics import softmax

_UNIFORM_RATES, _PAIR_RATES = np.geomspace(0.0005, 0.5, 40), np.geomspace(0.001, 0.4, 9)
_MOST_CLASSES, _MOST_CELLS = 30, 100_000
"""More classes have one rate for all pairs; rates are estimated on a sample of as many rows times classes."""
_LEAST_WEIGHT = 1e-3
_SCALES, _BIASES, _LOG_ODDS = (0.02, 20.0), (-4.0, 4.0), (-14.0, -0.2)
_LEVEL, _FALSE_ALARMS = 0.9, 0.05
_NORMAL_DECILES = np.array([-1.645, -1.036, -0.674, -0.385, -0.126, 0.126, 0.385, 0.674, 1.036, 1.645])


@dataclass(frozen=True)
class Evidence:
    """What speaks for each class of each row, its own label aside: two arrays (n, classes), and given labels (n,).

    `logits` are those of classifiers trained without the row, `votes` the logarithms of the class frequencies among
    its neighbours; `targets` are the numbers of the given labels.
    """

    logits: np.ndarray
    votes: np.ndarray
    targets: np.ndarray

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.logits.shape[1])

    def take(self, rows: np.ndarray) -> Evidence:
        """Return some of the rows."""
        return Evidence(self.logits[rows], self.votes[rows], self.targets[rows])


@dataclass(frozen=True)
class NoiseModel:
    """A calibration of the evidence, and the odds of each wrong label against the right one.

    Probabilities of the true class are softmax(scale * logits + votes * neighbours' votes + bias). `log_odds` (classes,
    classes) are those of label c for a picture of class y; 0 on the diagonal. `rate` is the prior's fraction of wrong
    labels. With `by_pair`, each entry was fitted, else all are equal; with `by_class`, so was the bias, else it is 0.
    """

    rate: float
    by_pair: bool
    by_class: bool
    scale: float
    votes: float
    bias: np.ndarray
    log_odds: np.ndarray

    @property
    def transition(self) -> np.ndarray:
        """The probability (classes, classes) of each label (column) for a picture of each class (row)."""
        return softmax(self.log_odds)

    def probabilities(self, evidence: Evidence) -> np.ndarray:
        """Return the probability (n, classes) of each true class, the given label aside."""
        return softmax(self.scale * evidence.logits + self.votes * evidence.votes + self.bias)

    def suspicion(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the probability (n, classes) that the label is wrong, for each class that could be the label."""
        transition = self.transition
        right = probabilities * np.diagonal(transition)
        wrong = probabilities @ (transition * (1 - np.eye(len(transition))))
        return np.asarray(wrong / np.maximum(right + wrong, 1e-300))


@dataclass(frozen=True)
class LabelNoise:
    """Models of the noise, with the weight (n models,) of each; the weights' sum is 1.

    `fitness` is the logarithm of how well the evidence explains the labels, by all models together.
    """

    models: tuple[NoiseModel, ...]
    weights: np.ndarray
    fitness: float = -np.inf

    def recalibrated(self, evidence: Evidence) -> LabelNoise:
        """Return the same rates and weights with calibrations for other evidence on the same pictures."""
        sample = evidence.take(_sample(evidence))
        return replace(self, models=tuple(_fit(sample, model, rates=False)[0] for model in self.models))


@dataclass(frozen=True)
class Assessment:
    """What the noise models say of each row: `probabilities` and `suspicion` (n, classes), averaged over the models.

    `suspicion` is that of each class, were it the label. `wrong` is the expected number of wrong labels, in the
    interval `low` to `high` with a probability of 90 %. `power` is the fraction of labels which, swapped on purpose
    for another one, are more suspicious than 95 % of the right ones.
    """

    probabilities: np.ndarray
    suspicion: np.ndarray
    wrong: float
    low: float
    high: float
    power: float


def estimate_noise(evidence: Evidence) -> LabelNoise:
    """Return the models of the noise that explain the labels, each weighted by its evidence (Laplace's method)."""
    sample = evidence.take(_sample(evidence))
    found = list(_explored(sample))
    scores = np.array([score for _, score in found])
    weights = np.exp(scores - scores.max())
    kept = weights >= _LEAST_WEIGHT * weights.sum()
    models = tuple(model for (model, _), keep in zip(found, kept, strict=True) if keep)
    fitness = float(scores.max() + np.log(weights.sum()))
    return LabelNoise(models, weights[kept] / weights[kept].sum(), fitness)


def assess(evidence: Evidence, noise: LabelNoise) -> Assessment:
    """Return what the models of the noise say of the evidence's labels."""
    every, shape = np.arange(len(evidence.targets)), evidence.logits.shape
    probabilities, suspicion, counts = np.zeros(shape), np.zeros(shape), []
    for model, weight in zip(noise.models, noise.weights, strict=True):
        of_class = model.probabilities(evidence)
        suspected = model.suspicion(of_class)
        own = suspected[every, evidence.targets]
        counts.append(float(own.sum()) + np.sqrt(float((own * (1 - own)).sum())) * _NORMAL_DECILES)
        probabilities += weight * of_class
        suspicion += weight * suspected
    low, high = _interval(np.concatenate(counts), np.repeat(noise.weights, len(_NORMAL_DECILES)))
    wrong, power = float(suspicion[every, evidence.targets].sum()), _power(suspicion, evidence.targets)
    return Assessment(probabilities, suspicion, wrong, min(low, wrong), max(high, wrong), power)


def _explored(evidence: Evidence) -> Iterator[tuple[NoiseModel, float]]:
    """Yield models with their log evidence: one rate for all pairs of classes, then one per pair, then a bias too."""
    forms = [(False, False), (True, False), (True, True)] if evidence.classes <= _MOST_CLASSES else [(False, False)]
    for by_pair, by_class in forms:
        rates = _PAIR_RATES if by_pair else _UNIFORM_RATES
        spacing, start = float(np.log(rates[1] / rates[0])), _first(evidence.classes, by_pair, by_class)
        for rate in rates[::-1]:
            model, score = _fit(evidence, _at_rate(start, float(rate)))
            # Jeffreys' prior of a fraction, on the logarithmic scale of the rates
            yield model, score + 0.5 * float(np.log(rate)) + float(np.log(spacing))
            start = model


def _first(classes: int, by_pair: bool, by_class: bool) -> NoiseModel:
    rate = 0.5
    odds = np.full((classes, classes), _usual_log_odds(rate, classes)) * (1 - np.eye(classes))
    return NoiseModel(rate, by_pair, by_class, 1.0, 0.3, np.zeros(classes), odds)


def _at_rate(model: NoiseModel, rate: float) -> NoiseModel:
    """Return the model moved to another rate: a start for its fit."""
    classes = len(model.bias)
    shift = _usual_log_odds(rate, classes) - _usual_log_odds(model.rate, classes)
    return replace(model, rate=rate, log_odds=model.log_odds + shift * (1 - np.eye(classes)))


def _usual_log_odds(rate: float, classes: int) -> float:
    return float(np.log(rate / (1 - rate) / max(1, classes - 1)))


def _fit(evidence: Evidence, start: NoiseModel, *, rates: bool = True) -> tuple[NoiseModel, float]:
    """Return the model of greatest posterior density and its log evidence; without `rates` these stay as they are."""
    from scipy.optimize import minimize

    classes, between = evidence.classes, ~np.eye(evidence.classes, dtype=bool)
    usual, with_rates = _usual_log_odds(start.rate, classes), rates and start.by_pair
    labels = np.zeros(evidence.logits.shape)
    labels[np.arange(len(labels)), evidence.targets] = 1.0

    def model_of(vector: np.ndarray) -> NoiseModel:
        bias = vector[2 : 2 + classes] if start.by_class else start.bias
        odds = start.log_odds.copy()
        if with_rates:
            odds[between] = vector[-int(between.sum()) :]
        return replace(start, scale=float(vector[0]), votes=float(vector[1]), bias=bias, log_odds=odds)

    def expected(model: NoiseModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return probabilities of the true class, likelihoods of the labels, and both combined: the posterior."""
        probabilities = model.probabilities(evidence)
        joint = probabilities * model.transition[:, evidence.targets].T
        likelihood = np.maximum(joint.sum(axis=1), 1e-300)
        return probabilities, likelihood, joint / likelihood[:, None]

    def objective(vector: np.ndarray) -> tuple[float, np.ndarray]:
        model = model_of(vector)
        probabilities, likelihood, posterior = expected(model)
        error = probabilities - posterior
        loss = -float(np.log(likelihood).sum())
        gradient = [np.array([(error * evidence.logits).sum(), (error * evidence.votes).sum()])]
        if start.by_class:
            loss += 0.5 * float(model.bias @ model.bias)
            gradient.append(error.sum(axis=0) + model.bias)
        if with_rates:
            away = model.log_odds[between] - usual
            counts = posterior.T @ labels
            loss += 0.5 * float(away @ away)
            gradient.append((counts.sum(axis=1, keepdims=True) * model.transition - counts)[between] + away)
        return loss, np.concatenate(gradient)

    vector = np.concatenate(
        [
            [start.scale, start.votes],
            start.bias if start.by_class else [],
            start.log_odds[between] if with_rates else [],
        ]
    )
    bounds = [_SCALES, (0.0, 5.0)]
    bounds += [_BIASES] * (classes if start.by_class else 0)
    bounds += [_LOG_ODDS] * (int(between.sum()) if with_rates else 0)
    vector = np.clip(vector, *np.array(bounds).T)
    result = minimize(objective, vector, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100})
    model = model_of(result.x)
    probabilities, _, posterior = expected(model)
    score = -float(result.fun)
    if start.by_class:
        score -= 0.5 * float(np.log1p((probabilities * (1 - probabilities)).sum(axis=0)).sum())
    if with_rates:
        score -= 0.5 * float(np.log1p((posterior.T @ labels)[between]).sum())
    return model, score


def _sample(evidence: Evidence) -> np.ndarray:
    """Return rows, spread evenly, whose number times the classes is bounded."""
    count = len(evidence.targets)
    return np.arange(0, count, max(1, -(-count * evidence.classes // _MOST_CELLS)))


def _interval(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return the central interval of weighted values."""
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order]) / weights.sum()
    places = np.searchsorted(cumulative, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    low, high = values[order][np.minimum(places, len(values) - 1)]
    return max(0.0, float(low)), max(0.0, float(high))


def _power(suspicion: np.ndarray, targets: np.ndarray) -> float:
    """Return the fraction of labels which, each swapped alone, exceed 95 % of the right labels; see Assessment."""
    every, classes = np.arange(len(targets)), suspicion.shape[1]
    own = suspicion[every, targets]
    right = np.maximum(1 - own, 1e-9)
    order = np.argsort(own)
    cumulative = np.cumsum(right[order]) / right.sum()
    threshold = own[order][np.searchsorted(cumulative, 1 - _FALSE_ALARMS)]
    above = (suspicion > threshold).sum(axis=1) - (own > threshold)
    return float((right * above).sum() / right.sum() / max(1, classes - 1))
