"""Files with a network's weights but not the network: it is recognised in the catalogue by the number of weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import prod
from typing import Any

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder import catalogue, hdf5
from vision_recipes.model_folder.keras2_weights import read_layers
from vision_recipes.stores import has_digest

CLASSES = 1000


@dataclass(frozen=True)
class Recognised:
    """The network that some weights are of, the classes that its last layer has, and whether it scales pictures twice.

    keras.applications gives EfficientNets a second Rescaling layer when it loads ImageNet's weights itself.
    """

    row: catalogue.Architecture
    classes: int
    rescaled: bool = False


def recognise(path: str | os.PathLike[str], where: str) -> Recognised | None:
    """Return what the weights in a file are of; None when the file is no HDF5 or also holds the network itself.

    Raises ModelFolderError when they are of no network of the catalogue with a last layer for any number of classes.
    """
    with open(path, "rb") as stream:
        if stream.read(8) != b"\x89HDF\r\n\x1a\n":
            return None
    with hdf5.open_hdf5(path, where) as file:
        if "model_config" in file.attrs or not ("layer_names" in file.attrs or "layers" in file):
            return None
        layers = _layers(file, where)
    rescalings = sum(name.startswith("rescaling") for name, _shapes in layers)
    by_size = {row.parameters: row for row in catalogue.architectures().values()}
    total = sum(prod(shape) for _name, shapes in layers for shape in shapes)
    for _name, shapes in reversed(layers):
        if len(shapes) == 2 and len(shapes[0]) > 1 and shapes[1] == shapes[0][-1:] and shapes[1][0] > 1:
            classes, own = shapes[1][0], prod(shapes[0]) + shapes[1][0]
            row = by_size.get(total - own + own // classes * CLASSES)
            if row is not None:
                rescaled = row.family == "efficientnet" and (rescalings > 1 or has_digest(path, row.weights.top.hash))
                return Recognised(row, classes, rescaled)
    raise ModelFolderError(
        f"{where} holds weights only, {total:,} numbers, and no network of the catalogue has as many with a last layer "
        "of its own. Export the whole model with model.save('model.keras')."
    )


def _layers(file: Any, where: str) -> list[tuple[str, list[tuple[int, ...]]]]:
    """Return a name or kind, and the shapes of its variables, for each layer; nothing else is read."""
    if "layer_names" in file.attrs:
        found = [(name, [item for _name, item in variables]) for name, variables in read_layers(file, where)]
    else:
        found = [(layer.kinds, list(layer.variables)) for layer in hdf5.read_stored(file, where).values()]
    return [(name, [tuple(item.shape) for item in variables]) for name, variables in found]
