"""The last layer trained step by step with a named optimiser, on features that are computed once; numpy alone.

For those who choose an optimiser; the convex solver of `heads` finds the optimum that these steps approach.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from vision_recipes.settings import RetrainSettings
from vision_recipes.training.design_matrix import design
from vision_recipes.training.epochs import Best, Epoch, require_finite
from vision_recipes.training.examples import Examples, accuracy, cross_entropy, probabilities
from vision_recipes.training.optimisers import Optimiser, read_parameters
from vision_recipes.training.schedules import Schedule
from vision_recipes.training.shuffling import Stream

log = logging.getLogger("vision_recipes")

_BATCH = 32
_BLOCK = 4096


@dataclass
class DescendedHead:
    """A dense layer for raw features: kernel float32 (d + extra, classes), bias float32; its epochs, and the best."""

    kernel: np.ndarray
    bias: np.ndarray
    best: Epoch
    epochs: list[Epoch] = field(default_factory=list)


def fit_head(
    train: Examples,
    valid: Examples,
    settings: RetrainSettings,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> DescendedHead:
    """Return the layer of the best epoch; `valid` may be empty, then epochs are compared on the training rows.

    Dropout, penalties, smoothing, batches, schedule and early stopping are as the settings say, in the space of scaled
    features (`design`), so that one learning rate suits all networks. Raises TrainingError when the loss is not finite,
    SettingsError for parameters that the optimiser does not have.
    """
    optimiser = Optimiser(
        settings.model_optimizer, read_parameters(settings.model_optimizer, settings.model_custom_params_opti)
    )
    ready = design(train, turned=False)
    descent = _Descent(ready.matrix, train, settings, optimiser)
    seen = ready.apply(valid) if len(valid) else None
    schedule, best, epochs = Schedule.of(settings), Best(settings.early_stopping_patience), []
    kept = descent.layer.copy()
    for number in range(1, settings.nb_epochs + 1):
        started = time.perf_counter()
        loss, right = descent.run(number, schedule)
        val_loss, val_accuracy = None, None
        if seen is not None:
            shown = min(len(valid), settings.nb_validation_steps * descent.stream.batch or len(valid))
            val_loss, val_accuracy = _judge(descent.layer, seen[:shown], valid.take(np.arange(shown)))
        rate = schedule.rate(number)
        epoch = Epoch(number, loss, right, val_loss, val_accuracy, rate, time.perf_counter() - started)
        better = best.add(epoch)
        epochs.append(epoch)
        on_epoch(epoch)
        schedule.note(better=better)
        if better:
            kept = descent.layer.copy()
        if best.over:
            log.info("stopped after epoch %d: no better one since epoch %d", number, number - best.patience)
            break
    assert best.epoch is not None
    kernel, bias = ready.fold(kept.kernel, kept.bias)
    return DescendedHead(kernel, bias, best.epoch, epochs)


@dataclass
class _Layer:
    kernel: np.ndarray
    bias: np.ndarray

    def copy(self) -> _Layer:
        return _Layer(self.kernel.copy(), self.bias.copy())

    def logits(self, matrix: np.ndarray) -> np.ndarray:
        product: np.ndarray = matrix @ self.kernel + self.bias
        return product


class _Descent:
    """A layer that starts at zero, and its steps down the slope of the loss."""

    def __init__(self, matrix: np.ndarray, rows: Examples, settings: RetrainSettings, optimiser: Optimiser) -> None:
        self.layer = _Layer(np.zeros((matrix.shape[1], rows.classes), np.float32), np.zeros(rows.classes, np.float32))
        batch = min(settings.batch_size or _BATCH, len(rows))
        self.stream = Stream(len(rows), batch, settings.random_seed, settings.nb_steps_per_epoch)
        self._matrix, self._rows, self._settings, self._optimiser = matrix, rows, settings, optimiser

    def run(self, number: int, schedule: Schedule) -> tuple[float, float]:
        """Go through one epoch; return its mean loss, with the penalties, and its accuracy."""
        lost, right, count, weight = 0.0, 0, 0, 0.0
        for step in range(self.stream.steps):
            places = self.stream.rows(number - 1, step)
            passed = number - 1 + step / self.stream.steps
            loss, hits, heavy = self._step(places, schedule.rate(passed), (number, step))
            require_finite(loss, number, schedule.rate(passed))
            lost, right, count, weight = lost + loss * heavy, right + hits, count + len(places), weight + heavy
        return lost / weight, right / count

    def _step(self, places: np.ndarray, rate: float, where: tuple[int, int]) -> tuple[float, int, float]:
        settings, layer = self._settings, self.layer
        matrix, weights = self._matrix[places], self._rows.weights[places]
        if settings.model_dropout:
            luck = np.random.default_rng((settings.random_seed, 1, *where)).random(matrix.shape, np.float32)
            matrix = np.where(luck < settings.model_dropout, 0, matrix / np.float32(1 - settings.model_dropout))
        targets = self._rows.targets[places]
        spread = np.float32(settings.label_smoothing)
        wanted = np.full((len(places), self._rows.classes), spread / self._rows.classes, np.float32)
        wanted[np.arange(len(places)), targets] += 1 - spread
        with np.errstate(over="ignore", invalid="ignore"):
            logits = layer.logits(matrix)
            loss = cross_entropy(logits, wanted, weights)
            loss += float(settings.model_l1 * np.abs(layer.kernel).sum() + settings.model_l2 * (layer.kernel**2).sum())
            slope = (probabilities(logits) - wanted) * (weights / np.float32(len(places)))[:, None]
            down = matrix.T @ slope
            down += np.float32(settings.model_l1) * np.sign(layer.kernel)
            down += np.float32(2 * settings.model_l2) * layer.kernel
            self._optimiser.step([layer.kernel, layer.bias], [down, slope.sum(axis=0)], rate)
        return loss, int((logits.argmax(axis=1) == targets).sum()), float(weights.sum())


def _judge(layer: _Layer, matrix: np.ndarray, rows: Examples) -> tuple[float, float]:
    """Return loss and accuracy, computed in blocks of rows."""
    lost = right = weight = 0.0
    for start in range(0, len(rows), _BLOCK):
        part = rows.take(np.arange(start, min(start + _BLOCK, len(rows))))
        with np.errstate(over="ignore", invalid="ignore"):
            logits = layer.logits(matrix[start : start + _BLOCK])
            lost += cross_entropy(logits, part.wanted(), part.weights) * float(part.weights.sum())
        right += accuracy(logits, part.targets) * len(part)
        weight += float(part.weights.sum())
    return lost / weight, right / len(rows)
