"""A network's last layers, or all, trained further from a fitted head: at a low rate, the best weights kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import TRAIN, VALID
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder.head_formulas import SCORES
from vision_recipes.model_folder.heads import Head, attach_head
from vision_recipes.training.batches import image_samples
from vision_recipes.training.checkpoints import Checkpoints
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.frozen_layers import (
    SplitNetwork,
    fit_on_disk,
    frozen_outputs,
    is_batch_normalisation,
    split_network,
)
from vision_recipes.training.optimisers import make_optimizer
from vision_recipes.training.training_device import TrainingDevice
from vision_recipes.training.training_loop import TrainingLoop, compile_network
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted

if TYPE_CHECKING:
    from vision_recipes.model_folder.folder import Model

log = logging.getLogger("vision_recipes")

PRETRAINED_RATE = 0.1
"""Pretrained layers are trained at this fraction of model_learning_rate."""

_BATCH = 16


@dataclass
class FineTuned:
    """A keras.Model in float32 with the weights of the best epoch.

    `start` (number 0) is the network before training, None from random weights.
    """

    network: Any
    start: Epoch | None
    best: Epoch
    batch_size: int
    epochs: list[Epoch]

    @property
    def beats_start(self) -> bool:
        """Whether the best epoch is better than the start: more accurate, or as accurate with less loss."""
        return self.start is None or self.best.rank > self.start.rank


def fine_tune(
    base: Model,
    head: Head,
    images: LabelledImages,
    settings: RetrainSettings,
    *,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    checkpoints: Checkpoints | None = None,
) -> FineTuned:
    """Train the head and the layers that the settings name; or, from random weights, all of it.

    `images` have pixels; those on the training side are trained on, those on the validation side choose the epoch.
    `head` is fitted already; its dropout applies. Frozen layers are computed once per picture. Each pass shows every
    picture unchanged and in its augmented copies. Memory that runs out halves the batch. Raises TrainingError when the
    loss is not a finite number, DeviceError; the same seed gives the same weights on the same CPU.
    """
    device = TrainingDevice.claim(settings.compute)
    from_scratch = settings.initial_weights == "random"
    device.seed(settings.random_seed)
    with device.scope():
        network = attach_head(base, head, pretrained=not from_scratch)
        network.get_layer(SCORES).dtype_policy = "float32"
        split = split_network(network, settings)
    layers = split.trained_layers
    log.info(
        "fine-tuning on %s in %s: %s with %s, from %s",
        *(device.description, device.policy),
        *(counted(len(layers), "layer"), counted(split.parameters, "weight"), layers[0].name),
    )
    train = image_samples(images.subset(TRAIN), base.preprocessing, settings)
    valid = image_samples(images.subset(VALID), base.preprocessing)
    batch_size = min(settings.batch_size or _BATCH, len(train))
    with work_folder() as workdir:
        trained = network
        if split.frozen is not None and fit_on_disk(split.frozen, len(train) + len(valid), workdir):
            trained = split.trainable
            train = frozen_outputs(train, split.frozen, batch_size, workdir / "train")
            valid = frozen_outputs(valid, split.frozen, batch_size, workdir / "valid")
        elif split.frozen is not None:
            log.info("frozen layers are computed in each epoch: their outputs do not fit in %s", workdir)
        with device.scope():
            _compile(trained, split, settings, device)
        loop = TrainingLoop(trained, train, valid, settings, batch_size, on_epoch=on_epoch, checkpoints=checkpoints)
        if from_scratch:
            _shorten_averages(layers, loop.order.steps * settings.nb_epochs)
        start = None if from_scratch else loop.evaluate()
        if start is not None:
            log.info("before fine-tuning, %s", start)
        loop.run()
    network.trainable = True
    if device.policy != "float32":
        weights = network.get_weights()
        network = attach_head(base, head, pretrained=False)
        network.set_weights(weights)
    return FineTuned(network, start, loop.best, loop.batch_size, loop.epochs)


def _compile(trained: Any, split: SplitNetwork, settings: RetrainSettings, device: TrainingDevice) -> None:
    """Compile the network that is trained: all of it, or the part after the frozen layers."""
    import keras

    if settings.model_l1 or settings.model_l2:
        kernel = next(layer for layer in split.trained_layers if layer.name == SCORES).kernel
        kernel.regularizer = keras.regularizers.L1L2(settings.model_l1, settings.model_l2)
    lowered = 1.0 if settings.initial_weights == "random" else PRETRAINED_RATE
    optimizer = make_optimizer(settings, lowered * settings.model_learning_rate)
    compile_network(trained, optimizer, settings, on_gpu=device.on_gpu)


def _shorten_averages(layers: list[Any], steps: int) -> None:
    """Let batch normalisation average over about a tenth of the training, if its momentum averages over more."""
    for layer in layers:
        if is_batch_normalisation(layer):
            layer.momentum = min(layer.momentum, max(0.5, 1 - 10 / steps))
