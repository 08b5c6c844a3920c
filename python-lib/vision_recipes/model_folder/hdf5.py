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

MAX_ITEMS = 200_000
NEXT_STEP = "Download, import or retrain the model again."
Variables = dict[str, list[Any]]
"""Name of a layer -> its variables in Keras's order, h5py datasets or arrays; nested layers are `outer/inner`."""


@dataclass(frozen=True)
class StoredLayer:
    """The variables of a layer as they are in a file; `kinds` are those of the layers around it and its own."""

    kinds: str
    variables: Sequence[Any]


@contextmanager
def open_hdf5(path: str | os.PathLike[str], where: str) -> Iterator[Any]:
    """Yield the h5py.File after a check that refuses links, external storage and virtual datasets."""
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as err:
        size = os.path.getsize(path)
        raise ModelFolderError(f"{where} ({size} bytes) is cut off or is not an HDF5 file. {NEXT_STEP}") from err
    with file:
        try:
            _refuse_links(file, where)
            yield file
        except (OSError, RuntimeError, KeyError) as err:
            raise ModelFolderError(f"{where} is damaged: {err}. {NEXT_STEP}") from err


def _refuse_links(group: Any, where: str) -> None:
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
                raise ModelFolderError(f"{where}: entry {name[:80]!r} is a link, which is refused. {NEXT_STEP}")
            item = parent[name]
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
                raise ModelFolderError(
                    f"{where}: entry {name[:80]!r} has its data in other files or is no array, which is refused. "
                    + NEXT_STEP
                )


def read_stored(file: Any, where: str) -> dict[str, StoredLayer]:
    """Return every layer of a file in the layout of Keras 3 by its name; nothing but the file's structure is read."""
    found: dict[str, StoredLayer] = {}
    _collect(file, where, found)
    if not found:
        raise ModelFolderError(f"{where} has no layers as Keras 3 writes them (.weights.h5). {NEXT_STEP}")
    return found


def _collect(group: Any, where: str, found: dict[str, StoredLayer], names: str = "", kinds: str = "") -> None:
    layers = group.get("layers", {})
    for place in sorted(layers, key=_in_order):
        variables = layers[place].get("vars")
        name = None if variables is None else variables.attrs.get("name")
        if not isinstance(name, str) or names + name in found:
            raise ModelFolderError(f"{where}: {place[:80]!r} has no name of its own to identify it. {NEXT_STEP}")
        stored = [variables[str(number)] for number in range(len(variables)) if str(number) in variables]
        if len(stored) != len(variables):
            raise ModelFolderError(f"{where}: the variables of {place[:80]!r} are not numbered from 0. {NEXT_STEP}")
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
