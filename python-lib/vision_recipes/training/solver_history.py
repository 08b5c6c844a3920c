"""The steps of a solver as one series of figures, which ends in those of the finished head.

A head may be the mean of several fits; so is each point of the series, after so many steps of each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.metrics import accuracy, cross_entropy
from vision_recipes.training.design_matrix import LinearProbe
from vision_recipes.training.epochs import Epoch

_GROWTH, _COARSE_GROWTH = 1.2, 4.0
_FINE = 2_000_000
"""Up to so many logits of a step, steps are recorded finely: each holds its logits until the end."""


class Scorer(Protocol):
    """A solver's solution at some step."""

    def logits(self, matrix: np.ndarray) -> np.ndarray:
        """Return the logits of rows."""


@dataclass(frozen=True)
class _Point:
    step: int
    seconds: float
    logits: tuple[np.ndarray, np.ndarray]


class SolverHistory:
    """Records what the fits of a head would answer after some of their steps, at intervals that grow."""

    def __init__(self, train: LabelledImages, valid: LabelledImages) -> None:
        self._sides = train, valid
        self._growth = _GROWTH if (len(train) + len(valid)) * len(train.classes) <= _FINE else _COARSE_GROWTH
        self._fits: list[list[_Point]] = []
        self._counts: list[int] = []

    def follow(self, matrices: tuple[np.ndarray, np.ndarray], factor: float) -> None:
        """Record a fit from now on, by its matrices of the training and the validation rows."""
        self._matrices, self._factor, self._next = matrices, np.float32(factor), 1
        self._fits.append([])
        self._counts.append(0)
        self._since = time.perf_counter()

    def step(self, solution: Scorer) -> None:
        """Take the solution after a further step."""
        self._counts[-1] += 1
        if self._counts[-1] < self._next:
            return
        self._next = max(self._next + 1, int(self._next * self._growth))
        train, valid = (solution.logits(matrix) * self._factor for matrix in self._matrices)
        self._fits[-1].append(_Point(self._counts[-1], time.perf_counter() - self._since, (train, valid)))

    @property
    def steps(self) -> int:
        """How many steps the longest fit took."""
        return max(self._counts, default=0)

    def epochs(self, head: LinearProbe, on_epoch: Callable[[Epoch], None]) -> list[Epoch]:
        """Return the series, numbered by steps; the last point is the finished head's."""
        fits = [points for points in self._fits if points]
        numbers = sorted({point.step for points in fits for point in points if point.step < self.steps})
        epochs: list[Epoch] = []
        before = 0.0
        for number in numbers:
            at = [max((point for point in points if point.step <= number), key=_step) for points in fits]
            seconds = sum(point.seconds for point in at)
            logits = [np.mean([point.logits[side] for point in at], axis=0) for side in (0, 1)]
            epochs.append(self._epoch(number, logits, seconds - before))
            before = seconds
        logits = [head.logits(images) for images in self._sides]
        epochs.append(self._epoch(max(self.steps, 1), logits, 0.0))
        for epoch in epochs:
            on_epoch(epoch)
        return epochs

    def _epoch(self, number: int, logits: list[np.ndarray], seconds: float) -> Epoch:
        found = [
            (cross_entropy(scores, images.one_hot(), images.weights), accuracy(scores, images.targets))
            for images, scores in zip(self._sides, logits, strict=True)
            if len(images)
        ]
        (loss, right), *measured = found
        val_loss, val_right = measured[0] if measured else (None, None)
        return Epoch(number, loss, right, val_loss, val_right, 0.0, max(seconds, 0.0))


def _step(point: _Point) -> int:
    return point.step
