"""The steps of an epoch with Keras: batch after batch on one device, or spread over several by the framework."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.training.epochs import require_finite
from vision_recipes.training.frozen import Arrays
from vision_recipes.training.schedules import Schedule

log = logging.getLogger("vision_recipes")

_TOLD_EVERY = 10.0


@dataclass
class Pass:
    """The steps of epoch `number` (from 1): their batches, and the learning rate of each."""

    number: int
    steps: int
    batch: Callable[[int], Arrays]
    schedule: Schedule
    started: float = field(default_factory=time.perf_counter)
    told: float = field(default_factory=time.perf_counter)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step."""
        return self.schedule.rate(self.number - 1 + step / self.steps)

    def note(self, step: int, loss: float) -> None:
        """Take note of a step's loss: raise TrainingError when it is not finite, and tell how far the epoch is."""
        require_finite(loss, self.number, self.rate(step))
        now = time.perf_counter()
        if now - self.told > _TOLD_EVERY:
            self.told = now
            left = (now - self.started) / (step + 1) * (self.steps - step - 1)
            log.info("epoch %d: step %d / %d, loss %.4f, %.0f s left", self.number, step + 1, self.steps, loss, left)


def train(network: Any, wanted: Pass) -> tuple[float, float]:
    """Go through the steps on one device, batches made ahead; return loss and accuracy."""
    lost, right, count = 0.0, 0.0, 0
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(wanted.batch, 0)
        for step in range(wanted.steps):
            inputs, classes, weights = coming.result()
            if step + 1 < wanted.steps:
                coming = ahead.submit(wanted.batch, step + 1)
            network.optimizer.learning_rate = wanted.rate(step)
            told = network.train_on_batch(_given(inputs), classes, weights, return_dict=True)
            loss = float(told["loss"])
            wanted.note(step, loss)
            lost, right, count = (
                lost + loss * len(classes),
                right + float(told["accuracy"]) * len(classes),
                count + len(classes),
            )
    return lost / count, right / count


def train_spread(network: Any, wanted: Pass) -> tuple[float, float]:
    """Go through the steps on all devices of the strategy that the network was compiled in."""
    import keras

    class Batches(keras.utils.PyDataset):
        """The batches of the pass."""

        def __len__(self) -> int:
            return wanted.steps

        def __getitem__(self, step: int) -> tuple[Any, np.ndarray, np.ndarray]:
            inputs, classes, weights = wanted.batch(step)
            return _given(inputs), classes, weights

    class Steps(keras.callbacks.Callback):
        """Sets the rate before a step, and looks at the loss after it."""

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            network.optimizer.learning_rate = wanted.rate(batch)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            wanted.note(batch, float(logs["loss"]))

    told = network.fit(Batches(workers=2, max_queue_size=4), shuffle=False, verbose=0, callbacks=[Steps()]).history
    return float(told["loss"][0]), float(told["accuracy"][0])


def score(network: Any, inputs: tuple[np.ndarray, ...], batch: int, *, spread: bool) -> np.ndarray:
    """Return the scores float32 (n, classes) of at most `batch` pictures; always computes a whole batch."""
    count = len(inputs[0])
    whole = tuple(np.resize(values, (batch, *values.shape[1:])) for values in inputs)
    if spread:
        return np.asarray(network.predict(_given(whole), batch_size=batch, verbose=0), np.float32)[:count]
    return np.asarray(network.predict_on_batch(_given(whole)), np.float32)[:count]


def _given(inputs: tuple[np.ndarray, ...]) -> Any:
    return inputs if len(inputs) > 1 else inputs[0]
