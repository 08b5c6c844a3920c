"""Whole-model files of Keras: `.keras` archives and `.h5` files, opened without unpacking or executing anything."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError
from vision_recipes.local_folders import work_folder
from vision_recipes.model_folder import hdf5
from vision_recipes.model_folder.hdf5 import Variables
from vision_recipes.model_import import keras_weights
from vision_recipes.model_import.keras_configs import Translation, translate
from vision_recipes.stores import copy_stream

MAX_CONFIG = 32 << 20
MAX_WEIGHTS = 8 << 30
MAX_METADATA = 1 << 20
MAX_RATIO = 50
MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


@contextmanager
def open_keras_file(
    path: str | os.PathLike[str], where: str, output: str = ""
) -> Iterator[tuple[Translation, Variables]]:
    """Yield the network in a `.keras` or `.h5` file, and the stored variables of each of its nodes.

    The kind of the file is known by its content, not by its name. `output` is the name or number of the output that
    gives the scores, of a network with several.
    """
    with open(path, "rb") as stream:
        start = stream.read(8)
    if start[:4] == b"PK\x03\x04":
        with work_folder() as workdir, _open_archive(Path(path), where, workdir, output) as found:
            yield found
    elif start == b"\x89HDF\r\n\x1a\n":
        with hdf5.open_hdf5(path, where) as file:
            yield _read_whole_h5(file, where, output)
    else:
        raise ModelFolderError(
            f"{where} is neither a .keras nor an .h5 file of Keras (it starts with {start!r}). Export the model again "
            "with model.save('model.keras')."
        )


@contextmanager
def _open_archive(path: Path, where: str, workdir: Path, output: str) -> Iterator[tuple[Translation, Variables]]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist()]
            extra = sorted(set(names) - set(MEMBERS) - {"assets/"})
            if len(set(names)) != len(names) or extra or not set(MEMBERS[1:]) <= set(names):
                raise ModelFolderError(
                    f"{where} is not a .keras file that can be read: it holds "
                    f"{', '.join(map(repr, extra or names))[:200]}, where {', '.join(MEMBERS)} are expected, each once."
                )
            if {info.compress_type for info in archive.infolist()} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise NotImplementedError("it is compressed in a way that Keras does not use")
            description, stored = workdir / "config.json", workdir / "model.weights.h5"
            _copy_member(archive, description.name, description, MAX_CONFIG, where)
            about = {"keras_version": "3"}
            if "metadata.json" in names:
                _copy_member(archive, "metadata.json", workdir / "metadata.json", MAX_METADATA, where)
                about = strict_json.parse(
                    (workdir / "metadata.json").read_bytes(), f"metadata.json in {where}", MAX_METADATA
                )
            _copy_member(archive, stored.name, stored, MAX_WEIGHTS, where)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, zlib.error) as err:
        raise ModelFolderError(f"{where} is damaged or cut off: {err}. Copy or export it again.") from err
    config = strict_json.parse(description.read_bytes(), f"config.json in {where}", MAX_CONFIG)
    version = _version(about.get("keras_version") if isinstance(about, dict) else None)
    translation = translate(config, where, output, version)
    with hdf5.open_hdf5(stored, where) as file:
        group = file.get("layers") or file.get("_layer_checkpoint_dependencies", {})
        with _fitting(where):
            by_path = keras_weights.in_archive(group, config)
        yield translation, keras_weights.of_nodes(translation, by_path, where)


def _copy_member(archive: zipfile.ZipFile, name: str, target: Path, limit: int, where: str) -> None:
    """Unpack a member that has `limit` bytes at most, and does not unpack to much more than it takes in the archive."""
    ratio_limit = max(archive.getinfo(name).compress_size, 1 << 20) * MAX_RATIO
    with archive.open(name) as stream:
        size, _sha256 = copy_stream(stream, target, min(limit, ratio_limit))
    if size > min(limit, ratio_limit):
        raise ModelFolderError(f"{name} in {where} unpacks to more than {min(limit, ratio_limit)} bytes.")


def _read_whole_h5(file: Any, where: str, output: str) -> tuple[Translation, Variables]:
    content = file.attrs.get("model_config")
    if content is None or "model_weights" not in file:
        kind = "weights only" if "layer_names" in file.attrs or "layers" in file else "no Keras model"
        raise ModelFolderError(
            f"{where} holds {kind}, not the network itself. Export the whole model with model.save('model.keras'); "
            "for weights of a network of the catalogue, run vision-download with source 'file'."
        )
    content = content.encode() if isinstance(content, str) else bytes(content)
    config = strict_json.parse(content, f"the description in {where}", MAX_CONFIG)
    translation = translate(config, where, output, _version(file.attrs.get("keras_version")))
    with _fitting(where):
        stored = keras_weights.in_whole_h5(file["model_weights"], config, where)
    return translation, keras_weights.of_nodes(translation, stored, where)


@contextmanager
def _fitting(where: str) -> Iterator[None]:
    """Raise ModelFolderError where weights and the description of layers, also of unused ones, do not fit together."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as err:
        raise ModelFolderError(
            f"{where} is damaged: its weights do not fit the description of its layers ({err!r:.100}). Export it again."
        ) from err


def _version(text: Any) -> int:
    """Return the version of Keras that wrote a file, 2 or 3; a file that does not say it is of those before."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text or "2")
    return 3 if plain.startswith("3") else 2
