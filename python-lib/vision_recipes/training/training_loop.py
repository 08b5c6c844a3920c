"""Training epoch by epoch with keras.Model.fit: learning rate, early stopping, checkpoints, memory that runs out."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_recipes.errors import TrainingError
from vision_recipes.training.batches import BatchOrder, Samples, as_keras
from vision_recipes.training.checkpoints import Checkpoints
from vision_recipes.training.epochs import Epoch, require_finite
from vision_recipes.training.training_device import is_out_of_memory
from vision_recipes.training_settings import RetrainSettings

log = logging.getLogger("vision_recipes")

_PROGRESS_SECONDS = 10.0
_PLATEAU_FACTOR, _PLATEAU_EPOCHS, _PLATEAU_LOWEST = 0.3, 2, 1e-3


def compile_network(network: Any, optimizer: Any, settings: RetrainSettings, *, on_gpu: bool) -> None:
    """Compile a classifier for `TrainingLoop`: softmax outputs, one-hot targets, a metric without penalties."""
    import keras

    network.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        weighted_metrics=[keras.metrics.CategoricalCrossentropy(name="cross_entropy")],
        jit_compile="auto" if on_gpu else False,
    )


@dataclass
class TrainingLoop:
    """Trains a compiled network until its epochs are over or no longer get better, and leaves it with the best weights.

    `batch_size` is halved when memory runs out; validation uses it too, unless `evaluation_batch` is given. `on_epoch`
    is called after each epoch. `epochs` are those so far, with those of the checkpoint that training resumed from.
    """

    network: Any
    train: Samples
    valid: Samples
    settings: RetrainSettings
    batch_size: int
    evaluation_batch: int = 0
    on_epoch: Callable[[Epoch], None] = lambda epoch: None
    checkpoints: Checkpoints | None = None
    epochs: list[Epoch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first_rate = _learning_rate(self.network)
        self.weights: list[np.ndarray] = self.network.get_weights()
        self.best_weights = self.weights

    @property
    def best(self) -> Epoch:
        """The best epoch so far, the first of equals."""
        return max(self.epochs, key=lambda epoch: epoch.rank)

    @property
    def order(self) -> BatchOrder:
        """The order of the training batches."""
        settings = self.settings
        return BatchOrder(len(self.train), self.batch_size, settings.random_seed, settings.nb_steps_per_epoch)

    def evaluate(self) -> Epoch:
        """Return the figures of the network as it is, on the validation pictures or else on those to train on."""
        started = time.perf_counter()
        samples, steps = (self.valid, self.settings.nb_validation_steps) if len(self.valid) else (self.train, 0)
        order = self._evaluation_order(samples, steps)
        logs = self.network.evaluate(as_keras(samples, order), verbose=0, return_dict=True)
        loss, accuracy = float(logs["cross_entropy"]), float(logs["accuracy"])
        val_loss, val_accuracy = (loss, accuracy) if len(self.valid) else (None, None)
        seconds = time.perf_counter() - started
        return Epoch(0, loss, accuracy, val_loss, val_accuracy, self.first_rate, seconds)

    def run(self) -> None:
        """Train; resumes from a checkpoint. When memory runs out the epoch is repeated with half the batch size.

        Raises TrainingError when the loss is not finite, or when memory is not enough for a single picture.
        """
        if self.checkpoints and (found := self.checkpoints.load(self.weights)):
            self.epochs, self.weights = list(found[0]), found[1]
            self.best_weights = self.weights
            log.info("training resumes from the best epoch of an earlier run: %s", self.epochs[-1])
        while True:
            self.network.set_weights(self.weights)
            try:
                self._fit()
                break
            except Exception as err:
                if not is_out_of_memory(err):
                    raise
                if self.batch_size == 1:
                    raise TrainingError(
                        "Memory ran out with a single picture at a time. Use smaller pictures (image_width, "
                        "image_height), retrain fewer layers, or a machine with more memory."
                    ) from err
                self.batch_size //= 2
                log.warning("memory ran out: the epoch starts again with a batch size of %d", self.batch_size)
        if self.checkpoints:
            self.checkpoints.clear()

    def _fit(self) -> None:
        order, settings, done = self.order, self.settings, len(self.epochs)
        validation = None
        if len(self.valid):
            validation = as_keras(self.valid, self._evaluation_order(self.valid, settings.nb_validation_steps))
        self.network.fit(
            as_keras(self.train, order, done * order.steps),
            initial_epoch=done,
            epochs=settings.nb_epochs,
            steps_per_epoch=order.steps,
            shuffle=False,
            verbose=0,
            validation_data=validation,
            callbacks=_callbacks(self),
        )

    def _evaluation_order(self, samples: Samples, steps: int) -> BatchOrder:
        count = min(len(samples), steps * self.batch_size) if steps else len(samples)
        return BatchOrder(count, min(self.evaluation_batch or self.batch_size, count), None)

    def cosine(self, epochs: float) -> float:
        """Return the learning rate of the cosine schedule after some epochs (Loshchilov & Hutter 2017, no restarts)."""
        return self.first_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, epochs / self.settings.nb_epochs)))


def _learning_rate(network: Any) -> float:
    """Return the learning rate, a float32 in Keras, as the shortest number that it stands for (0.03)."""
    return float(str(np.float32(network.optimizer.learning_rate)))


def _callbacks(loop: TrainingLoop) -> list[Any]:
    """Return the callbacks of a fit: the figures of the epoch first, then what depends on them."""
    import keras

    settings, network, steps = loop.settings, loop.network, loop.order.steps
    cosine = settings.learning_rate_schedule == "cosine"
    stopping = keras.callbacks.EarlyStopping(
        monitor="rank",
        mode="max",
        patience=settings.early_stopping_patience or settings.nb_epochs,
        restore_best_weights=True,
    )
    ranked = [stopping]
    if settings.learning_rate_schedule == "plateau":
        lowest = loop.first_rate * _PLATEAU_LOWEST
        ranked.append(
            keras.callbacks.ReduceLROnPlateau(
                "rank", _PLATEAU_FACTOR, _PLATEAU_EPOCHS, mode="max", min_delta=0, min_lr=lowest
            )
        )

    class Figures(keras.callbacks.Callback):
        """Turns Keras' logs into an Epoch, reports progress, and raises TrainingError when the loss is not finite."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.started = self.reported = time.perf_counter()
            loop.weights = network.get_weights()
            if cosine:
                network.optimizer.learning_rate = loop.cosine(epoch)
            self.number, self.rate = epoch + 1, _learning_rate(network)
            if loop.epochs and not cosine and self.rate < loop.epochs[-1].learning_rate:
                log.info("no better epoch for a while: the learning rate is now %.3g", self.rate)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            loss, now = float(logs["loss"]), time.perf_counter()
            require_finite(loss, self.number, self.rate)
            if cosine:
                self.rate = loop.cosine(self.number - 1 + (batch + 1) / steps)
                network.optimizer.learning_rate = self.rate
            if now - self.reported > _PROGRESS_SECONDS:
                self.reported = now
                left = (now - self.started) / (batch + 1) * (steps - batch - 1)
                log.info("epoch %d: step %d / %d, loss %.4f, %.0f s left", self.number, batch + 1, steps, loss, left)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            validation = logs.get("val_cross_entropy"), logs.get("val_accuracy")
            require_finite(validation[0] or 0.0, self.number, self.rate)
            seconds = time.perf_counter() - self.started
            found = Epoch(self.number, logs["loss"], logs["accuracy"], *validation, self.rate, seconds)
            logs["rank"] = found.rank
            loop.epochs.append(found)
            loop.on_epoch(found)

    def replay(logs: Any = None) -> None:
        """Bring the callbacks, which start anew with each fit, to where the epochs so far had left them."""
        network.optimizer.learning_rate = loop.first_rate
        for epoch in loop.epochs:
            for callback in ranked:
                callback.on_epoch_end(epoch.number - 1, {"rank": epoch.rank})
        if loop.epochs:
            stopping.best_weights = loop.best_weights

    def after_epoch(epoch: int, logs: Any = None) -> None:
        if stopping.best_epoch == epoch:
            loop.best_weights = stopping.best_weights
            if loop.checkpoints:
                loop.checkpoints.save(loop.epochs, loop.best_weights)
        elif network.stop_training:
            log.info("stopped after epoch %d: no better one since epoch %d", epoch + 1, stopping.best_epoch + 1)

    return [Figures(), *ranked, keras.callbacks.LambdaCallback(on_train_begin=replay, on_epoch_end=after_epoch)]
