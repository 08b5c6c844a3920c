"""Which output of a network is wanted, and how spatial values become a vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

SCORES = "scores"
FEATURES = "features"
POOLED = "head_pooling"
BOTH = "scores and features"
"""Of a network with a head of its own: the scores, and after them the pooled features that they were made from."""


@dataclass(frozen=True)
class Wanted:
    """One output: `result` is its name in the IR, `layer` the layer's name in Keras, empty for the scores.

    `pooling` turns spatial values into a vector: "avg", "max" or "none" (flattened, channels last). `beside` names
    another output, a vector already, that follows in the same vector; `beside_layer` is its layer in Keras.
    """

    result: str = SCORES
    layer: str = ""
    pooling: str = "avg"
    beside: str = ""
    beside_layer: str = ""


def find(model: Model, output: str | int, pooling: str) -> Wanted:
    """Return the wanted output: SCORES, FEATURES (the model's feature layer), BOTH or the index of a layer."""
    if output == SCORES:
        return Wanted()
    if output == BOTH:
        pooled = model.config.layer_named(POOLED)
        return Wanted(beside=pooled.output, beside_layer=pooled.name)
    layer = model.feature_layer if output == FEATURES else model.layer(int(output))
    return Wanted(layer.output, layer.name, pooling)
