"""Weights files of Keras 2 and of keras.applications: layers and variables are identified by their order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.hdf5 import Shape, StoredLayer, Variables, open_hdf5, read_stored
from vision_recipes.model_folder.hdf5_structure import StoredWeightsError
from vision_recipes.model_folder.weights import leaves, own_variables, set_weights, stable_names


def read_names(group: Any, key: str, where: str) -> list[str]:
    """Return a list of names from a group's attributes, which Keras splits when it is long (`layer_names0`, …)."""
    parts = [group.attrs[key]] if key in group.attrs else []
    while f"{key}{len(parts)}" in group.attrs:
        parts.append(group.attrs[f"{key}{len(parts)}"])
    if not parts and key == "layer_names":
        raise ModelFolderError(f"{where} has no list of its layers, so its weights cannot be assigned.")
    return [bytes(name).decode("utf-8") if isinstance(name, bytes) else str(name) for part in parts for name in part]


def read_layers(group: Any, where: str) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Yield the name of each layer in a group and its variables, (name, h5py dataset), in the file's order."""
    for layer in read_names(group, "layer_names", where):
        if layer not in group:
            raise ModelFolderError(f"{where}: the weights of layer {layer[:80]!r} are missing. Export the model again.")
        yield layer, [(name, group[layer][name]) for name in read_names(group[layer], "weight_names", where)]


def load_in_order(network: Any, path: str | os.PathLike[str], where: str) -> None:
    """Load a weights file into a network whose layers are those of the file, both taken in their order."""
    with open_hdf5(path, where) as file:
        set_weights(network, _read_in_order(file, network, where), where)


def require_array(path: str | os.PathLike[str], where: str, shape: Shape) -> None:
    """Raise ModelFolderError unless a weights file has an array of a shape, before a layer of it is built."""
    import h5py

    found: list[Shape] = []
    with open_hdf5(path, where) as file:
        file.visititems(lambda _name, item: found.append(item.shape) if isinstance(item, h5py.Dataset) else None)
        if shape not in found:
            last = [other for other in found if len(other) == 2][-3:]
            raise StoredWeightsError(f"{where} has no array of shape {shape} for the last layer, but {last}.")


def _read_in_order(file: Any, network: Any, where: str) -> Variables:
    """Return the file's variables by the names of the network's layers, both taken in their order.

    `file` is an opened .h5 file: weights only, or a complete model, of Keras 2 or 3.
    """
    if "layer_names" not in file.attrs and "model_weights" not in file:
        return _renamed(read_stored(file, where))
    layers = read_layers(file.get("model_weights", file), where)
    stored = [[item for _name, item in variables] for _layer, variables in layers if variables]
    expected = _outer_layers(network)
    if len(stored) != len(expected):
        raise ModelFolderError(
            f"{where} has weights for {len(stored)} layers, but the network has {len(expected)} layers with weights: "
            "it is the file of another network, or of one with another top."
        )
    variables: Variables = {}
    for owners, items in zip(expected, stored, strict=True):
        if len(owners) != len(items):
            raise ModelFolderError(
                f"{where} has {len(items)} variables where layer {owners[0]!r} needs {len(owners)}: "
                "it is the file of another network."
            )
        for owner, item in zip(owners, items, strict=True):
            variables.setdefault(owner, []).append(item)
    return variables


def _renamed(stored: dict[str, StoredLayer]) -> Variables:
    """Return the variables by the names that `weights.layer_names` gives, whatever was built before they were saved."""
    outer = [name for name in stored if "/" not in name]
    names = dict(zip(outer, stable_names([(name, stored[name].kinds) for name in outer]), strict=True))
    variables: Variables = {}
    for name, layer in stored.items():
        first, *inner = name.split("/")
        variables["/".join([names[first], *inner])] = list(layer.variables)
    return variables


def _outer_layers(network: Any) -> list[list[str]]:
    """Return the owner of each variable of the outermost layers, in the order of Keras 2 files: trainable first."""
    found: dict[str, list[tuple[bool, str]]] = {}
    for name, _kinds, layer in leaves(network):
        for variable in own_variables(layer):
            found.setdefault(name.split("/")[0], []).append((not variable.trainable, name))
    return [[name for _late, name in sorted(owners, key=lambda owner: owner[0])] for owners in found.values()]
