"""Weights in HDF5 files in the layout of Keras 3, read defensively: no links, nothing external, known sizes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError
from vision_recipes.model_folder.hdf5_structure import StoredWeightsError, check_packed, check_structure

NEXT_STEP = "Get the file again from where it came from, or save the model again."
Shape = tuple[int, ...]
Variables = dict[str, list[Any]]
"""Name of a layer -> its variables in Keras's order, h5py datasets or arrays; nested layers are `outer/inner`."""


@dataclass(frozen=True)
class StoredLayer:
    """The variables of a layer as they are in a file; `kinds` are those of the layers around it and its own."""

    kinds: str
    variables: Sequence[Any]


@contextmanager
def open_hdf5(path: str | os.PathLike[str], where: str, next_step: str = NEXT_STEP) -> Iterator[Any]:
    """Yield the h5py.File after a check that refuses links, external storage, virtual datasets, circles and bombs.

    `next_step` ends the message of every error in the file, also of those found while it is open.
    """
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as err:
        raise ModelFolderError(f"{where} {_not_opened(err, os.path.getsize(path))}. {next_step}") from err
    with file:
        try:
            check_structure(file, os.path.getsize(path), where)
            yield file
        except StoredWeightsError as err:
            raise ModelFolderError(f"{err} {next_step}") from err
        except (OSError, RuntimeError, KeyError) as err:
            raise ModelFolderError(f"{where} is damaged: {_without_paths(err)}. {next_step}") from err


def _not_opened(err: OSError, size: int) -> str:
    cut = re.search(r"truncated file: eof = (\d+), .*stored_eof = (\d+)", str(err))
    if cut:
        return f"is cut off: it has {int(cut[1]):,} of its {int(cut[2]):,} bytes"
    return f"({size} bytes) is cut off or is not an HDF5 file"


def _without_paths(err: Exception) -> str:
    """Return what HDF5 says, without the names of files: they are those of temporary copies."""
    text = str(err.args[0] if isinstance(err, KeyError) and err.args else err)
    return re.sub(r",? ?(file)?name = '[^']*'|'/[^']*'|/\S*/\S+", "", text)[:300]


def read_stored(file: Any, where: str) -> dict[str, StoredLayer]:
    """Return every layer of a file in the layout of Keras 3 by its name; nothing but the file's structure is read."""
    found: dict[str, StoredLayer] = {}
    _collect(file, where, found)
    if not found:
        raise StoredWeightsError(f"{where} has no layers as Keras 3 writes them (.weights.h5).")
    return found


def _collect(group: Any, where: str, found: dict[str, StoredLayer], names: str = "", kinds: str = "") -> None:
    layers = group.get("layers", {})
    for place in sorted(layers, key=_in_order):
        variables = layers[place].get("vars")
        name = None if variables is None else variables.attrs.get("name")
        if not isinstance(name, str) or names + name in found:
            raise StoredWeightsError(f"{where}: {place[:80]!r} has no name of its own to identify it.")
        stored = [variables[str(number)] for number in range(len(variables)) if str(number) in variables]
        if len(stored) != len(variables):
            raise StoredWeightsError(f"{where}: the variables of {place[:80]!r} are not numbered from 0.")
        kind = kinds + re.sub(r"_\d+$", "", place)
        found[names + name] = StoredLayer(kind, stored)
        _collect(layers[place], where, found, f"{names}{name}/", f"{kind}/")


def _in_order(place: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*?)_(\d{1,9})", place)
    return (match[1], int(match[2])) if match else (place, 0)


_WORTH_PACKING = 1024
"""Variables with fewer values are stored plain: what HDF5 keeps of each compressed one takes more than it saves."""


def write_stored(path: str | os.PathLike[str], layers: Mapping[str, StoredLayer], *, pack: bool = False) -> None:
    """Write layers' variables in the layout of Keras 3, in the order given; `pack` compresses them.

    The same variables give the same bytes.
    """
    import h5py

    options = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if pack else {}
    places: dict[str, str] = {}
    counts: dict[str, int] = {}
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        for name, layer in layers.items():
            outer, _, own = name.rpartition("/")
            counted = f"{places.get(outer, '')}/layers/{layer.kinds.rpartition('/')[2]}"
            count = counts[counted] = counts.get(counted, 0) + 1
            places[name] = counted if count == 1 else f"{counted}_{count - 1}"
            group = file.create_group(f"{places[name]}/vars")
            group.attrs["name"] = own
            for number, values in enumerate(layer.variables):
                group.create_dataset(str(number), data=values, **(options if np.size(values) >= _WORTH_PACKING else {}))


def require_shapes(layers: Mapping[str, Sequence[Shape]], stored: Mapping[str, Sequence[Any]], where: str) -> None:
    """Raise StoredWeightsError unless every layer's variables are stored with exactly the shapes that it has.

    `stored` holds datasets or arrays; nothing of them is read.
    """
    for name, expected in layers.items():
        shapes = [tuple(item.shape) for item in stored.get(name, ())]
        if expected and shapes != list(expected):
            found = f"has shapes {shapes[:4]}" if shapes else "has none there" if name in stored else "is missing"
            raise StoredWeightsError(
                f"{where} does not fit the network: layer {name!r} needs {list(expected)[:4]} and {found}."
            )


def read_values(item: Any, where: str) -> np.ndarray:
    """Return the numbers of a dataset or array, finite, as they are stored or (float16, float64) as float32."""
    if item.dtype.kind not in "fiu" or item.dtype.itemsize > 8:
        raise StoredWeightsError(f"{where} holds values of type {item.dtype}, not numbers.")
    check_packed(item, where)
    values = np.asarray(item[()])
    if values.dtype.kind == "f":
        values = values.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise StoredWeightsError(f"{where} holds numbers that are not finite.")
    return values
