"""Weights in HDF5 files in the layout of Keras 3, read with suspicion: no links, nothing external, known sizes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError

MAX_ITEMS = 200_000
NEXT_STEP = "Download, import or retrain the model again."
Variables = dict[str, list[Any]]


@contextmanager
def open_hdf5(path: str | os.PathLike[str], where: str) -> Iterator[Any]:
    """Yield the h5py.File after a walk that refuses links, external storage and virtual datasets."""
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as err:
        size = os.path.getsize(path)
        raise ModelFolderError(f"{where} ({size} bytes) is cut off or is not an HDF5 file. {NEXT_STEP}") from err
    with file:
        try:
            refuse_links(file, where)
            yield file
        except (OSError, RuntimeError, KeyError) as err:
            raise ModelFolderError(f"{where} is damaged: {err}. {NEXT_STEP}") from err


def refuse_links(group: Any, where: str) -> None:
    """Raise ModelFolderError unless every item below the group is stored in the file itself."""
    import h5py

    waiting, count = [group], 0
    while waiting:
        parent = waiting.pop()
        for name in parent:
            count += 1
            if count > MAX_ITEMS:
                raise ModelFolderError(f"{where} has more than {MAX_ITEMS} entries: these are no weights. {NEXT_STEP}")
            link = parent.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ModelFolderError(
                    f"{where}: entry {name[:80]!r} is a link to elsewhere, which is refused. {NEXT_STEP}"
                )
            item = parent[name]
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
                raise ModelFolderError(
                    f"{where}: entry {name[:80]!r} takes its data from other files or is no array, "
                    f"which is refused. {NEXT_STEP}"
                )


def read_keras3(file: Any, where: str) -> tuple[Variables, Variables]:
    """Return the variables of each layer as h5py datasets: by the layer's name, and by its place in the file.

    Files of early Keras 3 tell no names; places are such as `conv2d_3`, counted by kind in the order of the layers.
    """
    import h5py

    layers = file.get("layers") or file.get("_layer_checkpoint_dependencies")
    if not isinstance(layers, h5py.Group):
        raise ModelFolderError(f"{where} has no group of layers, as Keras 3 writes it (.weights.h5). {NEXT_STEP}")
    by_name: Variables = {}
    by_place: Variables = {}
    for place in layers:
        variables = layers[place].get("vars") if isinstance(layers[place], h5py.Group) else None
        if not isinstance(variables, h5py.Group):
            continue
        found = [variables[str(number)] for number in range(len(variables)) if str(number) in variables]
        if len(found) != len(variables):
            raise ModelFolderError(f"{where}: the variables of {place[:80]!r} are not numbered from 0. {NEXT_STEP}")
        by_place[place] = found
        name = variables.attrs.get("name")
        if isinstance(name, str) and name not in by_name:
            by_name[name] = found
    return by_name, by_place


def set_weights(network: Any, stored: Mapping[str, list[Any]], where: str) -> None:
    """Give every layer of a Keras network its stored variables, found by the layer's name.

    All shapes are compared before anything is read; other numbers than finite floats are refused.
    """
    layers = dict(zip(layer_names(network), network.layers, strict=True))
    wanted = {name: own_variables(layer) for name, layer in layers.items()}
    for name, variables in wanted.items():
        shapes = [tuple(item.shape) for item in stored.get(name, [])]
        expected = [tuple(variable.shape) for variable in variables]
        if variables and shapes != expected:
            found = f"has shapes {shapes[:4]}" if name in stored else "is missing"
            raise ModelFolderError(
                f"{where} does not fit the network: layer {name!r} needs {expected[:4]} and {found}. {NEXT_STEP}"
            )
    for name, layer in layers.items():
        if wanted[name]:
            values = [read_values(item, f"{where}: layer {name!r}") for item in stored[name]]
            layer.load_own_variables({str(number): value for number, value in enumerate(values)})


def read_values(item: Any, where: str) -> np.ndarray:
    """Return a dataset's numbers, finite, as they are stored or (float16, float64) as float32."""
    if item.dtype.kind not in "fiu" or item.dtype.itemsize > 8:
        raise ModelFolderError(f"{where} holds values of type {item.dtype}, not numbers. {NEXT_STEP}")
    values = np.asarray(item[()])
    if values.dtype.kind == "f":
        values = values.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise ModelFolderError(f"{where} holds numbers that are not finite. {NEXT_STEP}")
    return values


def own_variables(layer: Any) -> list[Any]:
    """Return the variables that Keras stores for a layer, in its order."""
    kept: dict[str, Any] = {}
    layer.save_own_variables(kept)
    return [kept[str(number)] for number in range(len(kept))]


def write_layers(
    path: str | os.PathLike[str], layers: Mapping[str, tuple[str, list[np.ndarray]]], *, pack: bool
) -> None:
    """Write layers' variables in the layout of Keras: name -> (kind in snake case, variables); `pack` compresses them.

    The same variables give the same bytes.
    """
    import h5py

    options = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if pack else {}
    counts: dict[str, int] = {}
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        for name, (kind, variables) in layers.items():
            counts[kind] = counts.get(kind, 0) + 1
            place = kind if counts[kind] == 1 else f"{kind}_{counts[kind] - 1}"
            group = file.create_group(f"layers/{place}/vars")
            group.attrs["name"] = name
            for number, values in enumerate(variables):
                small = np.ndim(values) == 0
                group.create_dataset(str(number), data=values, **({} if small else options))


def network_layers(network: Any) -> dict[str, tuple[str, list[np.ndarray]]]:
    """Return the variables of a Keras network as `write_layers` takes them."""
    import keras

    found = {}
    for name, layer in zip(layer_names(network), network.layers, strict=True):
        values = [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in own_variables(layer)]
        found[name] = (snake_case(type(layer).__name__), values)
    return found


def layer_names(network: Any) -> list[str]:
    """Return a name for each of the network's layers that is the same in every process.

    Keras numbers unnamed layers (`conv2d_7`) by what was built before in the process; here the network's first is 0.
    """
    numbered: dict[str, list[tuple[int, int]]] = {}
    names = [layer.name for layer in network.layers]
    for place, layer in enumerate(network.layers):
        kind = snake_case(type(layer).__name__)
        match = re.fullmatch(re.escape(kind) + r"(?:_(\d+))?", layer.name)
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
