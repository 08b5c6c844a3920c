"""The layers before the feature layer whose pooled outputs describe a picture as well: textures, strokes, parts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vision_recipes.model_folder.config import Layer

COUNT = 8
_NARROWEST = 16
_SKIPPED = 0.5
"""The fraction of the layers that is skipped from the input on: they see edges, colours and simple textures only."""

_NON_LINEAR = re.compile("relu|elu|swish|silu|gelu|mish|activation|clip|concat|add", re.IGNORECASE)
"""Kinds of layers that end a step of a network."""


def inner_layers(layers: Sequence[Layer], feature_layer: Layer) -> tuple[Layer, ...]:
    """Return at most COUNT layers between the input and the feature layer, evenly spread over the depth.

    Of each stretch of the network it is the last of its widest layers with several places, an activation where there
    are enough of them: where a block is widest. What leads to the feature layer in the same shape is left out. There
    may be none.
    """
    before = list(layers[: list(layers).index(feature_layer)])
    while before and before[-1].shape == feature_layer.shape:
        before.pop()
    before = [
        layer for layer in before[int(_SKIPPED * len(before)) :] if layer.size >= _NARROWEST and _has_places(layer)
    ]
    ends = [layer for layer in before if _NON_LINEAR.search(layer.kind)]
    before = ends if len(ends) >= COUNT // 2 else before
    chosen = []
    for number in range(COUNT):
        stretch = before[number * len(before) // COUNT : (number + 1) * len(before) // COUNT]
        widest = max((layer.size for layer in stretch), default=0)
        chosen += [layer for layer in stretch if layer.size == widest][-1:]
    return tuple(chosen)


def _has_places(layer: Layer) -> bool:
    """Return whether a layer's output (places …, channels) has more than one place."""
    places = 1
    for side in layer.shape[:-1]:
        places *= side or 2
    return len(layer.shape) > 1 and places > 1
