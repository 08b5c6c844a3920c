"""Which output of a network is wanted, and how spatial values become a vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision_recipes.models import Model

SCORES = "scores"
FEATURES = "features"


@dataclass(frozen=True)
class Wanted:
    """One output: `result` is its name in the IR, `layer` the layer's name in Keras, empty for the scores.

    `pooling` turns spatial values into a vector: "avg", "max" or "none" (flattened, channels last).
    """

    result: str = SCORES
    layer: str = ""
    pooling: str = "avg"


def find(model: Model, output: str | int, pooling: str) -> Wanted:
    """Return the wanted output: SCORES, FEATURES (the model's feature layer) or the index of a layer."""
    if output == SCORES:
        return Wanted()
    layer = model.feature_layer if output == FEATURES else model.layer(int(output))
    return Wanted(layer.output, layer.name, pooling)
