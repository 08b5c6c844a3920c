"""A network cut into the part that stays frozen, computed once per picture, and the part that is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vision_recipes.model_folder.networks import layer_named
from vision_recipes.settings import RetrainSettings

HEAD = "head_scores"


@dataclass
class Cut:
    """`trunk` gives, for normalised pixels, the tensors that `tail` starts from; None when nothing is frozen first.

    `tail` takes these tensors, then the extra columns if there are any, and gives the scores. `trained` are layers.
    """

    trunk: Any | None
    tail: Any
    trained: list[Any]

    @property
    def weights(self) -> int:
        """How many numbers are trained."""
        return sum(math.prod(weight.shape) for layer in self.trained for weight in layer.trainable_weights)


def cut(network: Any, settings: RetrainSettings) -> Cut:
    """Return the network cut before the first layer that is trained, and set which layers are.

    Trained are the head and, of the layers with weights before it, the last N or all. Batch normalisation does not
    count among them: it stays as it is, in inference mode, unless the whole network starts from random weights.
    """
    scratch = settings.initial_weights == "random"
    network.trainable = True
    weighted = [
        layer for layer in network.layers if layer.trainable_weights and layer is not layer_named(network, HEAD)
    ]
    normal = [layer for layer in weighted if "BatchNormalization" in type(layer).__name__]
    if scratch:
        chosen = weighted
    else:
        plain = [layer for layer in weighted if layer not in normal]
        chosen = plain if settings.layer_to_retrain == "all" else plain[-settings.layer_to_retrain_n :]
    trained = [*chosen, layer_named(network, HEAD)]
    for layer in network.layers:
        layer.trainable = layer in trained
    trunk, tail = _split(network, trained)
    return Cut(trunk, tail, trained)


def uncut(network: Any, found: Cut) -> Cut:
    """Return a cut that leaves the network whole, the same layers trained."""
    return Cut(None, network, found.trained)


def _split(network: Any, trained: list[Any]) -> tuple[Any | None, Any]:
    """Return trunk and tail: all that the trained layers reach, with what it takes from elsewhere as inputs.

    A branch around the trained layers, as in a residual block, is an input of its own.
    """
    import keras

    if any(len(operation._inbound_nodes) > 1 for operation in network.operations):
        return None, network  # an operation that is used twice has no one place to cut at
    inside: set[int] = set()
    taken: dict[int, Any] = {}
    for operation in network.operations:
        inputs = keras.tree.flatten(operation.input) if operation._inbound_nodes[0].input_tensors else []
        if operation in trained or any(id(tensor._keras_history.operation) in inside for tensor in inputs):
            inside.add(id(operation))
            taken |= {id(tensor): tensor for tensor in inputs}
    border = [tensor for tensor in taken.values() if id(tensor._keras_history.operation) not in inside]
    pixels, *extra = network.inputs
    joined = [tensor for tensor in extra if any(tensor is other for other in border)]
    border = [tensor for tensor in border if not any(tensor is other for other in joined)]
    if any(tensor is pixels for tensor in border):
        return None, network
    return keras.Model(pixels, border, name="trunk"), keras.Model([*border, *joined], network.outputs[0], name="tail")
