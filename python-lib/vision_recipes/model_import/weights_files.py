"""Files with a network's weights but not the network: which of the catalogue it is, told by how many weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import prod
from typing import Any

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder import catalogue, hdf5
from vision_recipes.model_folder.keras2_weights import read_names

CLASSES = 1000


@dataclass(frozen=True)
class Recognised:
    """The network that some weights are of, the classes that its last layer has, and whether it scales pictures anew.

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
        shapes = _shapes(file, where)
        rescalings = sum(name.startswith("rescaling") for name in _names(file, where))
    known = {row.parameters: row for row in catalogue.architectures().values()}
    total = sum(prod(shape) for layer in shapes for shape in layer)
    for layer in reversed(shapes):
        if len(layer) == 2 and len(layer[0]) > 1 and layer[1] == layer[0][-1:] and layer[1][0] > 1:
            classes, own = layer[1][0], prod(layer[0]) + layer[1][0]
            row = known.get(total - own + own // classes * CLASSES)
            if row is not None:
                rescaled = row.family == "efficientnet" and (rescalings > 1 or row.is_published(path))
                return Recognised(row, classes, rescaled)
    raise ModelFolderError(
        f"{where} holds weights only, {total:,} numbers, and no network of the catalogue has as many with a last layer "
        "of its own. Export the whole model with model.save('model.keras')."
    )


def _names(file: Any, where: str) -> list[str]:
    return read_names(file, "layer_names", where) if "layer_names" in file.attrs else list(file["layers"])


def _shapes(file: Any, where: str) -> list[list[tuple[int, ...]]]:
    """Return the shapes of each layer's variables; nothing else is read."""
    if "layer_names" not in file.attrs:
        stored = hdf5.read_stored(file, where)
        return [[tuple(item.shape) for item in layer.variables] for layer in stored.values()]
    found = []
    for name in read_names(file, "layer_names", where):
        if name not in file:
            raise ModelFolderError(f"{where}: the weights of layer {name[:80]!r} are missing. Export the model again.")
        found.append([tuple(file[name][variable].shape) for variable in read_names(file[name], "weight_names", where)])
    return found
