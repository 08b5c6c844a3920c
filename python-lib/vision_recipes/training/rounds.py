"""One epoch after the other through the trained part of a network, and how good it is in between."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.settings import RetrainSettings
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.frozen import Arrays, Source, computed, fits, fresh
from vision_recipes.training.optimisers import read_parameters
from vision_recipes.training.schedules import Schedule
from vision_recipes.training.shots import Album
from vision_recipes.training.shuffling import Stream
from vision_recipes.training.stepping import Pass, score, train, train_spread
from vision_recipes.training.tails import HEAD, Cut, uncut

log = logging.getLogger("vision_recipes")

_BATCH = 16
_LEAST = 1e-7
_CLASSES = {"adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad", "sgd": "SGD", "rmsprop": "RMSprop"}


class Rounds:
    """The trained part of a network with the pictures to train on and to judge by."""

    def __init__(self, network: Any, found: Cut, albums: tuple[Album, Album], settings: RetrainSettings) -> None:
        self._network, self._cut, self._settings = network, found, settings
        self._train, self._valid = albums
        self._sources: tuple[Source, Source] = (fresh(albums[0]), fresh(albums[1]))
        self._spread = False
        self.batch = min(settings.batch_size or _BATCH, len(self._train))

    def go_over_frozen(self, workdir: Path) -> None:
        """Compute what stays frozen once for each picture, into files in `workdir`, if there is room for them."""
        trunk, albums = self._cut.trunk, (self._train, self._valid)
        if trunk is None:
            return
        if not fits(trunk, albums, workdir):
            log.info("the frozen part is computed anew in each epoch: there is no room for its results in %s", workdir)
            self._cut = uncut(self._network, self._cut)
            return
        self._sources = (
            computed(self._train, trunk, self.batch, workdir / "train"),
            computed(self._valid, trunk, self.batch, workdir / "valid") if len(self._valid) else self._sources[1],
        )

    def compile(self, *, on_gpu: bool, spread: bool) -> None:
        """Make the trained part ready to train, `spread` over several devices or on one."""
        import keras

        settings, tail = self._settings, self._cut.tail
        self._spread = spread
        if settings.model_l1 or settings.model_l2:
            kernel = next(layer for layer in self._cut.trained if layer.name == HEAD).kernel
            kernel.regularizer = keras.regularizers.L1L2(settings.model_l1, settings.model_l2)
        if settings.initial_weights == "random":
            self._shorten_memory()
        name = "adamw" if settings.model_optimizer == "auto" else settings.model_optimizer
        given = {} if settings.model_optimizer == "auto" else read_parameters(name, settings.model_custom_params_opti)
        tail.compile(
            optimizer=getattr(keras.optimizers, _CLASSES[name])(learning_rate=settings.model_learning_rate, **given),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            jit_compile="auto" if on_gpu else False,
        )

    def run(self, number: int, schedule: Schedule) -> tuple[float, float]:
        """Go through epoch `number` (from 1); return its mean loss and accuracy."""
        stream = self._stream()

        def batch(step: int) -> Arrays:
            return self._sources[0](stream.rows(number - 1, step), stream.turn(number - 1, step))

        wanted = Pass(number, stream.steps, batch, schedule)
        return train_spread(self._cut.tail, wanted) if self._spread else train(self._cut.tail, wanted)

    def validate(self) -> tuple[float | None, float | None]:
        """Return loss and accuracy on the validation pictures, None without any."""
        return self._judge(1, self._settings.nb_validation_steps) if len(self._valid) else (None, None)

    def judge(self, rate: float) -> Epoch:
        """Return the figures of the network as it is, on the validation pictures or else on those to train on."""
        started = time.perf_counter()
        val_loss, val_accuracy = self.validate()
        loss, right = self._judge(0, 0) if val_loss is None or val_accuracy is None else (val_loss, val_accuracy)
        return Epoch(0, loss, right, val_loss, val_accuracy, rate, time.perf_counter() - started)

    def shrink(self) -> None:
        """Use batches of half the size from now on."""
        self.batch = max(1, self.batch // 2)

    def weights(self) -> list[np.ndarray]:
        """Return copies of the trained part's weights."""
        return [np.array(values) for values in self._cut.tail.get_weights()]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Set the trained part's weights."""
        self._cut.tail.set_weights(weights)

    def _stream(self) -> Stream:
        return Stream(len(self._train), self.batch, self._settings.random_seed, self._settings.nb_steps_per_epoch)

    def _judge(self, side: int, steps: int) -> tuple[float, float]:
        """Return weighted mean loss, without penalties, and accuracy; `steps` 0 = all pictures."""
        count = len((self._train, self._valid)[side])
        lost = right = weight = 0.0
        seen = min(count, (steps or math.ceil(count / self.batch)) * self.batch)
        for start in range(0, seen, self.batch):
            inputs, classes, weights = self._sources[side](np.arange(start, min(seen, start + self.batch)), 0)
            scores = score(self._cut.tail, inputs, self.batch, spread=self._spread)
            truth = classes.argmax(axis=1)
            chances = np.clip(scores[np.arange(len(truth)), truth].astype(np.float64), _LEAST, 1)
            lost -= float((weights * np.log(chances)).sum())
            right += int((scores.argmax(axis=1) == truth).sum())
            weight += float(weights.sum())
        return lost / weight, right / seen

    def _shorten_memory(self) -> None:
        """Let normalisations remember about a tenth of the training, where that is shorter than they are made for."""
        steps = self._stream().steps * self._settings.nb_epochs
        for layer in self._cut.trained:
            if "BatchNormalization" in type(layer).__name__:
                layer.momentum = min(layer.momentum, max(0.5, 1 - 10 / steps))
