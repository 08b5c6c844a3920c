"""The stored variables of each layer of a Keras file, found by the layer's place in the network, not by its name.

Names of layers change with what was built before them in a process; places do not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from vision_recipes.model_folder.hdf5 import Variables, read_values
from vision_recipes.model_folder.keras2_weights import read_layers
from vision_recipes.model_folder.weights import snake_case
from vision_recipes.model_import.keras_calls import is_operation
from vision_recipes.model_import.keras_configs import MAX_DEPTH, NESTED, Translation, layers_of, name_of
from vision_recipes.model_import.keras_graph import Path
from vision_recipes.model_import.keras_layers import LEARNED, kind_of

WEIGHTED = (*LEARNED, "LayerScale", "Normalization")
ByPath = dict[Path, list[Any]]
"""A layer's variables, h5py datasets in Keras's order, by names from the outermost network inwards."""


def of_nodes(translation: Translation, stored: ByPath, where: str) -> Variables:
    """Return the variables of each node of a translated network."""
    found: Variables = {}
    for node in translation.graph.nodes:
        path = translation.leaves[node.name]
        found[node.name] = list(translation.fixed.get(node.name, stored.get(path, [])))
        if node.kind == "DepthwiseConv2D" and [len(item.shape) for item in found[node.name]] == [1]:
            factors = read_values(found[node.name][0], f"{where}: layer {node.name!r}")  # of a LayerScale
            found[node.name] = [np.reshape(factors, (1, 1, -1, 1))]
    return found


def in_archive(group: Any, config: dict[str, Any], path: Path = ()) -> ByPath:
    """Return the variables in the weights of a .keras file, whose groups are counted by kind in the network's order."""
    found: ByPath = {}
    counts: Counter[str] = Counter()
    for layer in layers_of(config):
        if is_operation(layer) and "function" not in layer["config"]:
            continue
        kind, own = snake_case(str(layer["class_name"])), (*path, name_of(layer))
        place = f"{kind}_{counts[kind]}" if counts[kind] else kind
        counts[kind] += 1
        if place in group and kind_of(layer) in NESTED and len(path) < MAX_DEPTH:
            found |= in_archive(group[place].get("layers", {}), layer, own)
        elif place in group and "vars" in group[place]:
            variables = group[place]["vars"]
            found[own] = [variables[str(number)] for number in range(len(variables))]
    return found


def in_whole_h5(group: Any, config: dict[str, Any], where: str) -> ByPath:
    """Return the variables in the weights of a whole-model .h5 file, in one group for each outermost layer."""
    outermost = {name_of(layer): layer for layer in layers_of(config)}
    found: ByPath = {}
    for name, variables in read_layers(group, where):
        layer = outermost.get(name)
        if layer is not None and kind_of(layer) in NESTED:
            found |= _nested(list(_leaves(layer, (name,))), variables)
        else:
            found[name,] = [item for _name, item in variables]
    return found


def _leaves(config: dict[str, Any], path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield path and description of the layers in a network and the networks nested in it, in order."""
    for layer in layers_of(config):
        own = (*path, name_of(layer))
        if kind_of(layer) not in NESTED:
            yield own, layer
        elif len(own) <= MAX_DEPTH:
            yield from _leaves(layer, own)


def _nested(leaves: list[tuple[Path, dict[str, Any]]], variables: list[tuple[str, Any]]) -> ByPath:
    """Return the variables of one group by the layers that own them.

    A variable's name ends in its layer's name and its own, with some of the networks around it before; what that leaves
    open is settled by the order, which is that of the layers.
    """
    owned: dict[Path, list[Any]] = defaultdict(list)
    for name, item in variables:
        owned[tuple(name.split("/")[:-1])].append(item)
    by_end: dict[str, list[Path]] = defaultdict(list)
    for path, _layer in leaves:
        by_end["/".join(path).rpartition("/")[2]].append(path)
    owners: dict[str, list[Path]] = defaultdict(list)
    for owner in owned:
        owners[owner[-1] if owner else ""].append(owner)
    if not set(owners) <= set(by_end):
        return _in_order(leaves, list(owned.values()))
    found: ByPath = {}
    for end, named in owners.items():
        for path, owner in _matched(by_end[end], named):
            found[path] = owned[owner]
    return found


def _matched(paths: list[Path], owners: list[Path]) -> list[tuple[Path, Path]]:
    """Return each owner with the path that shares most of its last words, or in order where that is not one to one."""
    words = {path: tuple("/".join(path).split("/")) for path in paths}
    best = {owner: max(paths, key=lambda path: _common_end(words[path], owner)) for owner in owners}
    if len(set(best.values())) == len(owners):
        return [(path, owner) for owner, path in best.items()]
    return list(zip(paths, owners, strict=False))


def _common_end(first: Path, second: Path) -> int:
    same = 0
    for one, other in zip(reversed(first), reversed(second), strict=False):
        if one != other:
            break
        same += 1
    return same


def _in_order(leaves: list[tuple[Path, dict[str, Any]]], owned: list[list[Any]]) -> ByPath:
    """Return variables by layers in order: first those that are trained, then the frozen ones."""
    weighted = [(path, layer) for path, layer in leaves if kind_of(layer) in WEIGHTED]
    ordered = sorted(weighted, key=lambda leaf: leaf[1]["config"].get("trainable") is False)
    return {path: items for (path, _layer), items in zip(ordered, owned, strict=False)}
