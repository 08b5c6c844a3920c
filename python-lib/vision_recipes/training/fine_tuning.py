"""A network's last layers, or all, trained on from a fitted head: with Keras, at a low rate, the best weights kept."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_recipes.errors import TrainingError
from vision_recipes.inference.devices import choose, claim, list_gpus
from vision_recipes.model_folder.heads import Head, attach_head
from vision_recipes.settings import ComputeSettings, RetrainSettings
from vision_recipes.stores import Store
from vision_recipes.training.checkpoints import Checkpoints
from vision_recipes.training.epochs import Best, Epoch
from vision_recipes.training.rounds import Rounds
from vision_recipes.training.schedules import Schedule
from vision_recipes.training.shots import Album, Shots
from vision_recipes.training.tails import cut

if TYPE_CHECKING:
    from vision_recipes.model_folder.folder import Model

log = logging.getLogger("vision_recipes")

LOWERED = 0.1
"""Pretrained layers are trained at this part of model_learning_rate."""


@dataclass(frozen=True)
class Watch:
    """Who hears of each epoch, and where the best weights so far are kept; `key` is a hash of what determines them."""

    on_epoch: Callable[[Epoch], None] = lambda epoch: None
    kept: Store | None = None
    key: str = ""


@dataclass
class FineTuned:
    """A keras.Model in float32 with the weights of the best epoch. `start` (number 0) is the head before, if any."""

    network: Any
    start: Epoch | None
    best: Epoch
    batch_size: int
    epochs: list[Epoch] = field(default_factory=list)

    @property
    def beats_start(self) -> bool:
        """Whether the best epoch is better than what training started from: more right, or as many with less loss."""
        return self.start is None or self.best.rank > self.start.rank


def fine_tune(
    base: Model,
    head: Head,
    shots: Shots,
    settings: RetrainSettings,
    watch: Watch = Watch(),  # noqa: B008 - frozen
) -> FineTuned:
    """Train the head and the layers that the settings name; or, from random weights, all of it.

    `head` is fitted already; its dropout counts. What stays frozen is computed once per picture. Each pass sees every
    picture unchanged and in its varied copies. Memory that runs out halves the batch. Raises TrainingError when the
    loss is not a finite number, DeviceError; the same seed gives the same weights on the same processor.
    """
    where = _Place.of(settings.compute)
    scratch = settings.initial_weights == "random"
    _sow(settings.random_seed, on_gpu=where.on_gpu)
    with where.scope():
        network = attach_head(base, head, pretrained=not scratch)
        network.get_layer("head_scores").dtype_policy = "float32"
        found = cut(network, settings)
    log.info(
        "fine-tuning on %s in %s: %d layers with %d weights, from %s",
        where.told,
        where.policy,
        len(found.trained),
        found.weights,
        found.trained[0].name,
    )
    with tempfile.TemporaryDirectory() as workdir:
        albums = (
            Album.to_train(shots.train, base.preprocessing, len(head.labels), settings),
            Album(shots.valid, base.preprocessing, len(head.labels)),
        )
        rounds = Rounds(network, found, albums, settings)
        rounds.go_over_frozen(Path(workdir))
        with where.scope():
            rounds.compile(on_gpu=where.on_gpu, spread=where.strategy is not None)
        checkpoints = Checkpoints(watch.kept, watch.key) if watch.kept is not None else None
        tuned = _train(rounds, settings, watch.on_epoch, checkpoints)
    network.trainable = True
    tuned.network = network
    if where.policy != "float32":
        tuned.network = attach_head(base, head, pretrained=False)
        tuned.network.set_weights(network.get_weights())
    return tuned


def _train(
    rounds: Rounds, settings: RetrainSettings, on_epoch: Callable[[Epoch], None], checkpoints: Checkpoints | None
) -> FineTuned:
    scratch = settings.initial_weights == "random"
    schedule = Schedule.of(settings, lowered=1.0 if scratch else LOWERED)
    best = Best(settings.early_stopping_patience)
    start = None if scratch else rounds.judge(schedule.rate(0))
    if start is not None:
        log.info("before fine-tuning, %s", start)
    epochs: list[Epoch] = []
    kept = rounds.weights()
    resumed = checkpoints.load(kept) if checkpoints else None
    if resumed:
        epochs, kept = resumed
        best.add(epochs[-1])
        rounds.set_weights(kept)
        log.info("training goes on from the best epoch of an earlier run: %s", epochs[-1])
    for number in range(len(epochs) + 1, settings.nb_epochs + 1):
        started = time.perf_counter()
        loss, right = _go_through(rounds, number, schedule)
        judged = rounds.validate()
        epoch = Epoch(number, loss, right, *judged, schedule.rate(number - 1), time.perf_counter() - started)
        better = best.add(epoch)
        epochs.append(epoch)
        on_epoch(epoch)
        schedule.note(better=better)
        if better:
            kept = rounds.weights()
            if checkpoints:
                checkpoints.keep(epochs, kept)
        if best.over:
            log.info("stopped after epoch %d: no better one since epoch %d", number, number - best.patience)
            break
    rounds.set_weights(kept)
    if checkpoints:
        checkpoints.clear()
    assert best.epoch is not None
    return FineTuned(None, start, best.epoch, rounds.batch, epochs)


def _go_through(rounds: Rounds, number: int, schedule: Schedule) -> tuple[float, float]:
    """Go through an epoch, with smaller batches when memory runs out."""
    before = rounds.weights()
    while True:
        try:
            return rounds.run(number, schedule)
        except Exception as err:
            if not _out_of_memory(err):
                raise
            if rounds.batch == 1:
                raise TrainingError(
                    "Memory ran out with a single picture at a time. Use smaller pictures (image_width, image_height), "
                    "retrain fewer layers, or a machine with more memory."
                ) from err
            rounds.shrink()
            rounds.set_weights(before)
            log.warning("memory ran out: the epoch starts again with a batch size of %d", rounds.batch)


def _out_of_memory(err: Exception) -> bool:
    names = {kind.__name__ for kind in type(err).__mro__}
    return (
        bool(names & {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"})
        or "out of memory" in str(err).lower()
    )


def _sow(seed: int, *, on_gpu: bool) -> None:
    """Make all luck depend on the seed and, on the processor, sums independent of who computes them first."""
    import keras

    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow" and not on_gpu:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


@dataclass(frozen=True)
class _Place:
    """Where training runs: `policy` is Keras' name of the precision, `strategy` spreads batches over several GPUs."""

    told: str
    policy: str
    on_gpu: bool
    strategy: Any = None

    @classmethod
    def of(cls, compute: ComputeSettings) -> _Place:
        gpus = choose(compute, list_gpus() if compute.use_gpu != "false" else ())
        given = claim(compute, gpus)
        if not gpus:
            return cls(str(given), "float32", False)
        lower = "bfloat16" if all(gpu.capability >= (8, 0) for gpu in gpus) else "float32"
        precision = lower if compute.precision == "auto" else compute.precision
        policy = precision if precision == "float32" else f"mixed_{precision}"
        return cls(str(given), policy, True, _strategy(len(gpus)))

    def scope(self) -> Any:
        """Return the context that a network is built and compiled in."""
        return _Scope(self)


class _Scope:
    def __init__(self, place: _Place) -> None:
        self._place = place
        self._spread: Any = place.strategy.scope() if place.strategy else nullcontext()

    def __enter__(self) -> None:
        import keras

        self._before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self._place.policy)
        self._spread.__enter__()

    def __exit__(self, *failure: Any) -> None:
        import keras

        self._spread.__exit__(*failure)
        keras.config.set_dtype_policy(self._before)


def _strategy(gpus: int) -> Any:
    import keras

    if gpus < 2 or keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return tf.distribute.MirroredStrategy()
