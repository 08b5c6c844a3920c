"""The variables of Keras networks: listed by stable names, loaded from files after all shapes were compared."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from vision_recipes.model_folder.hdf5 import (
    NEXT_STEP,
    Shape,
    StoredLayer,
    open_hdf5,
    read_stored,
    read_values,
    require_shapes,
)

WeightsFile = tuple[str | os.PathLike[str], str]
"""The path of a .weights.h5 file, and the words for it in messages."""


def leaves(network: Any, outer: str = "", kinds: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield name, kinds and layer of all layers, in order, each followed by those nested in it (`outer/inner`)."""
    for name, layer in zip(layer_names(network), network.layers, strict=True):
        kind = kinds + snake_case(type(layer).__name__)
        yield outer + name, kind, layer
        if hasattr(layer, "layers"):
            yield from leaves(layer, f"{outer}{name}/", f"{kind}/")


def shapes_of(variables: Sequence[Any]) -> list[Shape]:
    """Return the shapes of Keras variables, datasets or arrays."""
    return [tuple(item.shape) for item in variables]


def own_variables(layer: Any) -> list[Any]:
    """Return the variables that Keras stores for a layer itself, in its order."""
    stored: dict[str, Any] = {}
    layer.save_own_variables(stored)
    return [stored[str(number)] for number in range(len(stored))]


def stored_layers(network: Any) -> dict[str, StoredLayer]:
    """Return the variables of a network as `hdf5.write_stored` takes them."""
    from keras.ops import convert_to_numpy

    return {
        name: StoredLayer(kinds, [np.asarray(convert_to_numpy(variable)) for variable in own_variables(layer)])
        for name, kinds, layer in leaves(network)
    }


def set_weights(network: Any, stored: Mapping[str, Any], where: str) -> None:
    """Load its variables (h5py datasets or arrays) into every layer of a Keras network, found by the layer's name.

    All shapes are compared before anything is read; numbers that are not finite are refused.
    """
    layers = [(name, layer, own_variables(layer)) for name, _kinds, layer in leaves(network)]
    require_shapes({name: shapes_of(variables) for name, _layer, variables in layers}, stored, where)
    for name, layer, variables in layers:
        if variables:
            values = [read_values(item, f"{where}: layer {name!r}") for item in stored[name]]
            layer.load_own_variables({str(number): value for number, value in enumerate(values)})


@contextmanager
def open_weights(files: Sequence[WeightsFile], next_step: str) -> Iterator[dict[str, Sequence[Any]]]:
    """Yield the variables in .weights.h5 files by layer; `next_step` ends the message of every error in them."""
    with ExitStack() as opened:
        stored: dict[str, Sequence[Any]] = {}
        for path, where in files:
            file = opened.enter_context(open_hdf5(path, where, next_step))
            stored |= {name: layer.variables for name, layer in read_stored(file, where).items()}
        yield stored


def load_files(network: Any, files: Sequence[WeightsFile], next_step: str = NEXT_STEP) -> None:
    """Load .weights.h5 files into a Keras network."""
    with open_weights(files, next_step) as stored:
        set_weights(network, stored, files[0][1])


def layer_names(network: Any) -> list[str]:
    """Return a name for each of the network's layers that is the same in every process.

    Keras numbers unnamed layers (`conv2d_7`) by what was built before in the process; here the network's first is 0.
    """
    return stable_names([(layer.name, snake_case(type(layer).__name__)) for layer in network.layers])


def stable_names(layers: Sequence[tuple[str, str]]) -> list[str]:
    """Return the names of layers, each given with its kind, those that Keras numbered counted from 0."""
    numbered: dict[str, list[tuple[int, int]]] = {}
    names = [name for name, _kind in layers]
    for place, (name, kind) in enumerate(layers):
        match = re.fullmatch(re.escape(kind) + r"(?:_(\d+))?", name)
        if match:
            numbered.setdefault(kind, []).append((int(match[1] or 0), place))
    for kind, found in numbered.items():
        for count, (_number, place) in enumerate(sorted(found)):
            names[place] = kind if count == 0 else f"{kind}_{count}"
    return names


def snake_case(kind: str) -> str:
    """Return a layer's kind as Keras writes it in names: `Conv2D` is `conv2d`."""
    words = re.sub(r"\W+", "", kind)
    words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", words)
    return re.sub("([a-z])([A-Z])", r"\1_\2", words).lower()
