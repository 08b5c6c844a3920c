"""Weights files of Keras 2 and of keras.applications: layers and variables are told apart by their order."""

from __future__ import annotations

from typing import Any

from vision_recipes.errors import ModelFolderError
from vision_recipes.models.keras_files import read_names
from vision_recipes.models.weights import Variables, layer_names, own_variables, read_keras3


def read_in_order(file: Any, network: Any, where: str) -> Variables:
    """Return the file's variables by the names of the network's layers, both taken in their order.

    `file` is an opened .h5 file: weights only, or a whole model, of Keras 2 or 3.
    """
    wanted = [name for name, layer in zip(layer_names(network), network.layers, strict=True) if own_variables(layer)]
    if "layer_names" not in file.attrs and "model_weights" not in file:
        by_name, _by_place = read_keras3(file, where)
        return by_name
    group = file.get("model_weights", file)
    stored = []
    for name in read_names(group, "layer_names", where):
        if name not in group:
            raise ModelFolderError(f"{where}: the weights of layer {name[:80]!r} are missing. Get the file again.")
        found = [group[name][variable] for variable in read_names(group[name], "weight_names", where)]
        if found:
            stored.append(found)
    if len(stored) != len(wanted):
        raise ModelFolderError(
            f"{where} has weights for {len(stored)} layers, but the network has {len(wanted)} layers with weights: "
            "it is the file of another network, or of one with another top."
        )
    return dict(zip(wanted, stored, strict=True))
