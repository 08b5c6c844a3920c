"""Whole-model files of Keras: `.keras` archives and `.h5` files, opened without unpacking or executing anything."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder import hdf5, weights
from vision_recipes.model_folder.hdf5 import Variables
from vision_recipes.model_folder.keras2_weights import read_layers
from vision_recipes.model_import.keras_configs import NESTED, Translation, kind_of, layers_of, name_of, translate
from vision_recipes.stores import copy_stream

MAX_CONFIG = 32 << 20
MAX_WEIGHTS = 8 << 30
MAX_RATIO = 50
MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
ORDER = ("depthwise_kernel", "kernel", "pointwise_kernel", "gamma", "beta", "bias", "alpha", "moving_mean", "mean")
VARIABLE_RANKS = {name: rank for rank, name in enumerate((*ORDER, "moving_variance", "variance", "count"))}


@contextmanager
def open_keras_file(path: str | os.PathLike[str], where: str) -> Iterator[tuple[Translation, Variables]]:
    """Yield the network in a `.keras` or `.h5` file, and the stored variables of each of its nodes.

    The kind of the file is known by its content, not by its name.
    """
    with open(path, "rb") as stream:
        start = stream.read(8)
    if start[:4] == b"PK\x03\x04":
        with work_folder() as workdir, _open_archive(Path(path), where, workdir) as found:
            yield found
    elif start == b"\x89HDF\r\n\x1a\n":
        with hdf5.open_hdf5(path, where) as file:
            yield _read_whole_h5(file, where)
    else:
        raise ModelFolderError(
            f"{where} is neither a .keras nor an .h5 file of Keras (it starts with {start!r}). Export the model again "
            "with model.save('model.keras')."
        )


@contextmanager
def _open_archive(path: Path, where: str, workdir: Path) -> Iterator[tuple[Translation, Variables]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist()]
            extra = sorted(set(names) - set(MEMBERS) - {"assets/"})
            if len(set(names)) != len(names) or extra or not set(MEMBERS[1:]) <= set(names):
                raise ModelFolderError(
                    f"{where} is not a .keras file that can be read: it holds "
                    f"{', '.join(map(repr, extra or names))[:200]}, where {', '.join(MEMBERS)} are expected, each once."
                )
            description, stored = workdir / "config.json", workdir / "model.weights.h5"
            _copy_member(archive, description.name, description, MAX_CONFIG, where)
            _copy_member(archive, stored.name, stored, MAX_WEIGHTS, where)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as err:
        raise ModelFolderError(f"{where} is damaged or cut off: {err}. Copy or export it again.") from err
    config = strict_json.parse(description.read_bytes(), f"config.json in {where}", MAX_CONFIG)
    translation = translate(config, where)
    with hdf5.open_hdf5(stored, where) as file:
        by_path = _by_layer(file.get("layers") or file.get("_layer_checkpoint_dependencies", {}), config)
        yield translation, {name: by_path.get(path, []) for name, path in translation.leaves.items()}


def _copy_member(archive: zipfile.ZipFile, name: str, target: Path, limit: int, where: str) -> None:
    """Unpack a member that has `limit` bytes at most, and does not unpack to much more than it takes in the archive."""
    ratio_limit = max(archive.getinfo(name).compress_size, 1 << 20) * MAX_RATIO
    with archive.open(name) as stream:
        size, _sha256 = copy_stream(stream, target, min(limit, ratio_limit))
    if size > min(limit, ratio_limit):
        raise ModelFolderError(f"{name} in {where} unpacks to more than {min(limit, ratio_limit)} bytes.")


def _by_layer(group: Any, config: dict[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], list[Any]]:
    """Return the variables of each layer by its path of names; the file's layers are matched with its description."""
    found: dict[tuple[str, ...], list[Any]] = {}
    counts: Counter[str] = Counter()
    for layer in layers_of(config):
        kind, own = weights.snake_case(str(layer["class_name"])), (*path, name_of(layer))
        place = f"{kind}_{counts[kind]}" if counts[kind] else kind
        counts[kind] += 1
        if place in group and layer["class_name"] in NESTED:
            found |= _by_layer(group[place].get("layers", {}), layer, own)
        elif place in group and "vars" in group[place]:
            variables = group[place]["vars"]
            found[own] = [variables[str(number)] for number in range(len(variables))]
    return found


def _read_whole_h5(file: Any, where: str) -> tuple[Translation, Variables]:
    content = file.attrs.get("model_config")
    if content is None or "model_weights" not in file:
        kind = "weights only" if "layer_names" in file.attrs or "layers" in file else "no Keras model"
        raise ModelFolderError(
            f"{where} holds {kind}, not the network itself. Export the whole model with model.save('model.keras'); "
            "for weights of a network of the catalogue, run vision-download with source 'file'."
        )
    content = content.encode() if isinstance(content, str) else bytes(content)
    config = strict_json.parse(content, f"the description in {where}", MAX_CONFIG)
    translation = translate(config, where)
    by_path: dict[tuple[str, ...], list[Any]] = {}
    for layer, variables in read_layers(file["model_weights"], where):
        by_path |= _by_owner(layer, variables)
    nested = {name_of(layer) for layer in layers_of(config) if kind_of(layer) in NESTED}
    stored = {}
    for name, path in translation.leaves.items():
        own = path if path and path[0] not in nested else (path[0], path[-1]) if path else ()
        stored[name] = by_path.get(own, [])
    return translation, stored


def _by_owner(layer: str, variables: list[tuple[str, Any]]) -> dict[tuple[str, ...], list[Any]]:
    """Return the variables below one outermost layer by their path: its own, and those of layers nested in it."""
    parts: dict[tuple[str, ...], list[tuple[int, Any]]] = {}
    for name, item in variables:
        words = name.split("/")
        variable = words[-1].split(":")[0]
        rank = VARIABLE_RANKS.get(variable, VARIABLE_RANKS.get(variable.rstrip("0123456789").rstrip("_"), -1))
        for path in {(layer,), (layer, words[-2] if len(words) > 1 else layer)}:
            parts.setdefault(path, []).append((rank, item))
    found = {}
    for path, items in parts.items():
        ranked = len(path) == 2 and all(rank >= 0 for rank, _item in items)
        found[path] = [item for _rank, item in (sorted(items, key=lambda pair: pair[0]) if ranked else items)]
    return found
