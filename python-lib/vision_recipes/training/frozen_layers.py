"""A network split into its frozen first layers, computed once per picture into files, and the part that is trained."""

from __future__ import annotations

import logging
import math
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vision_recipes.dataset.mapped_arrays import new_array
from vision_recipes.model_folder.head_formulas import HIDDEN, LANDMARKS, PROJECTION, SCORES
from vision_recipes.model_folder.networks import layer_named
from vision_recipes.training.batches import Samples
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted

log = logging.getLogger("vision_recipes")


_BLOCK = 64
_LARGEST = 32 << 30


@dataclass
class SplitNetwork:
    """`frozen` computes, from normalised pixels, the tensors that `trainable` starts from; None: nothing comes first.

    `trainable` takes these tensors, then the extra columns if there are any, and gives the probabilities.
    `trained_layers` are keras.Layer.
    """

    frozen: Any | None
    trainable: Any
    trained_layers: list[Any]

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(math.prod(weight.shape) for layer in self.trained_layers for weight in layer.trainable_weights)


def split_network(network: Any, settings: RetrainSettings) -> SplitNetwork:
    """Return the network split before the first layer that is trained, and set which layers are trainable.

    Trained are the layers of the head and, of the layers with weights before it, the last N or all. Batch normalisation
    does not count among them: it stays frozen, in inference mode, unless the whole network starts from random weights.
    """
    network.trainable = True
    scores = layer_named(network, SCORES)
    head = [layer for layer in network.layers if layer.name in (HIDDEN, PROJECTION, LANDMARKS) or layer is scores]
    chosen = [layer for layer in network.layers if layer.trainable_weights and layer not in head]
    if settings.initial_weights != "random":
        chosen = [layer for layer in chosen if not is_batch_normalisation(layer)]
        if settings.layer_to_retrain != "all":
            chosen = chosen[-settings.layer_to_retrain_n :]
    trained = [*chosen, *head]
    for layer in network.layers:
        layer.trainable = layer in trained
    return SplitNetwork(*_split(network, trained), trained)


def is_batch_normalisation(layer: Any) -> bool:
    """Return whether a layer is some kind of batch normalisation."""
    return "BatchNormalization" in type(layer).__name__


def _split(network: Any, trained: list[Any]) -> tuple[Any | None, Any]:
    """Return the frozen part and the rest: all that the trained layers reach, with what it takes as inputs.

    A branch around the trained layers, as in a residual block, is an input of its own.
    """
    import keras

    if any(len(operation._inbound_nodes) > 1 for operation in network.operations):
        return None, network  # an operation that is used twice has no one place to split at
    pixels, *extra = network.inputs
    columns = {id(tensor) for tensor in extra}
    inside: set[int] = set()  # what takes columns is in the head, so it comes after the trained layers
    taken: dict[int, Any] = {}
    for operation in network.operations:
        inputs = keras.tree.flatten(operation.input) if operation._inbound_nodes[0].input_tensors else []
        joins = any(id(tensor) in columns or id(tensor._keras_history.operation) in inside for tensor in inputs)
        if operation in trained or joins:
            inside.add(id(operation))
            taken |= {id(tensor): tensor for tensor in inputs}
    joined = [tensor for tensor in extra if id(tensor) in taken]
    border = [
        tensor
        for tensor in taken.values()
        if id(tensor._keras_history.operation) not in inside and not any(tensor is other for other in joined)
    ]
    if any(tensor is pixels for tensor in border):
        return None, network
    frozen = keras.Model(pixels, border, name="frozen")
    return frozen, keras.Model([*border, *joined], network.outputs[0], name="trainable")


def fit_on_disk(frozen: Any, count: int, workdir: Path) -> bool:
    """Return whether the frozen part's outputs for `count` pictures fit on the disk, using at most half of it."""
    values = sum(math.prod(size or 1 for size in output.shape[1:]) for output in frozen.outputs)
    return 4 * values * count < min(_LARGEST, shutil.disk_usage(workdir).free // 2)


def frozen_outputs(samples: Samples, frozen: Any, batch_size: int, path: Path) -> Samples:
    """Return the samples as the trainable part takes them: pixels replaced by the frozen part's outputs.

    These are computed once, float32, into files whose names start with `path`; augmented copies are then the same in
    each pass.
    """
    arrays: list[np.ndarray] = []
    started = time.perf_counter()
    rest: list[tuple[np.ndarray, ...]] = []
    for start in range(0, len(samples), _BLOCK):
        rows = np.arange(start, min(len(samples), start + _BLOCK))
        pixels, *extra = samples.inputs(rows, 0)
        rest.append(tuple(extra))
        outputs = frozen.predict(pixels, batch_size=batch_size, verbose=0)
        for place, values in enumerate(outputs if isinstance(outputs, list | tuple) else [outputs]):
            if start == 0:
                shape = (len(samples), *values.shape[1:])
                arrays.append(new_array(Path(f"{path}{place}.npy"), shape, "the outputs of the frozen layers"))
            arrays[place][rows] = values
    arrays += [np.concatenate(values) for values in zip(*rest, strict=True)]
    log.info(
        "computed the frozen layers for %s, %.1f s", counted(len(samples), "picture"), time.perf_counter() - started
    )
    return replace(samples, inputs=lambda rows, _: tuple(np.asarray(values[rows]) for values in arrays))
