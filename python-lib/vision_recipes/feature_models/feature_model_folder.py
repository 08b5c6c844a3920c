"""A feature model in its folder: arrays in one .npz file, config.json last; nothing in it can run when it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np

from vision_recipes import strict_json
from vision_recipes.errors import ModelFolderError, OutputError, listed
from vision_recipes.feature_models.feature_model import FeatureModel, FeatureModelConfig
from vision_recipes.model_folder.checks import read_npz, write_npz
from vision_recipes.model_folder.config import CONFIG, FileEntry
from vision_recipes.stores import Store, read_bytes

FORMAT, VERSION = "vision-recipes feature model", 1
MOST_CONFIG_BYTES = 32 << 20
NEXT_STEP = "Run vision-train-features into the folder again."

_RUNS_CODE = (".pkl", ".pickle", ".joblib", ".skops", ".cloudpickle", ".dill", ".pt", ".pth", ".h5", ".py")
_PICKLE = b"\x80"


def save_feature_model(
    store: Store, config: FeatureModelConfig, arrays: Mapping[str, np.ndarray], card: bytes
) -> FeatureModel:
    """Make a model the folder's model and return it; a run that is cut off leaves the previous model whole.

    The name of the new file has a piece of its hash; config.json, written last, names it; then the old file goes.
    """
    content = write_npz(arrays, level=1)
    digest = hashlib.sha256(content).hexdigest()
    shapes = {name: values.shape for name, values in arrays.items()}
    entry = FileEntry(f"model-{digest[:8]}.npz", digest, len(content))
    config = replace(config, model=entry, arrays=shapes)
    described = {"format": FORMAT, "version": VERSION} | strict_json.write(config)
    text = (json.dumps(described, indent=1, ensure_ascii=False) + "\n").encode()
    model = _checked(_read_config(text, store.name), content, store.name)
    previous = None
    with suppress(ModelFolderError, OSError):
        previous = _read_config(read_bytes(store, "/" + CONFIG, MOST_CONFIG_BYTES), store.name).model.name
    store.write("/" + entry.name, content)
    if store.size("/" + entry.name) not in (None, entry.bytes):
        raise OutputError(
            f"{entry.name} was cut off when written into {store.name!r}. Check the storage and its space."
        )
    store.write("/README.md", card)
    store.write("/" + CONFIG, text)
    if previous and previous != entry.name:
        with suppress(OSError, OutputError):
            store.delete("/" + previous)
    return model


def open_feature_model(store: Store) -> FeatureModel:
    """Return the model in a folder; everything in it is checked before anything is computed.

    Raises ModelFolderError that names the file and what is wrong with it.
    """
    try:
        text = read_bytes(store, "/" + CONFIG, MOST_CONFIG_BYTES)
    except FileNotFoundError as err:
        raise _no_config(store) from err
    except OSError as err:
        raise ModelFolderError(f"{CONFIG} of {store.name!r} cannot be read: {err}. {NEXT_STEP}") from err
    config = _read_config(text, store.name)
    entry = config.model
    try:
        content = read_bytes(store, "/" + entry.name, entry.bytes)
    except OSError as err:
        raise ModelFolderError(f"{entry.name} of model {store.name!r} cannot be read: {err}. {NEXT_STEP}") from err
    return _checked(config, content, store.name)


def _no_config(store: Store) -> ModelFolderError:
    paths = store.paths()
    if unsafe := [path.lstrip("/") for path in paths if path.lower().endswith(_RUNS_CODE)]:
        return ModelFolderError(
            f"Folder {store.name!r} has no {CONFIG} of a feature model. {unsafe[0]} is not opened: files of its kind "
            f"can run code when they are read. {NEXT_STEP}"
        )
    names = listed((path.lstrip("/") for path in paths), 5) or "nothing"
    return ModelFolderError(f"Folder {store.name!r} has no {CONFIG} of a feature model (found: {names}). {NEXT_STEP}")


def _read_config(content: bytes, folder: str) -> FeatureModelConfig:
    where = f"{CONFIG} of model folder {folder!r}"
    data = strict_json.parse(content, where, MOST_CONFIG_BYTES)
    kind, version = data.pop("format", None), data.pop("version", None)
    if kind == "vision-recipes model":
        raise ModelFolderError(
            f"Folder {folder!r} holds a model of pictures, not of feature vectors. Score pictures with it by "
            "vision-classify, or choose a folder that vision-train-features has made."
        )
    if kind != FORMAT or version != VERSION:
        raise ModelFolderError(
            f"{where} has format {str(kind)[:60]!r}, version {str(version)[:20]}; this plugin reads version {VERSION} "
            f"of {FORMAT!r}. Update the plugin, or train the model again."
        )
    return strict_json.read(FeatureModelConfig, data, where)


def _checked(config: FeatureModelConfig, content: bytes, folder: str) -> FeatureModel:
    entry, where = config.model, f"{config.model.name} of model folder {folder!r}"
    if content[:1] == _PICKLE:
        raise ModelFolderError(
            f"{where} is a pickle, which can run code when it is read; it is not opened. {NEXT_STEP}"
        )
    if len(content) != entry.bytes or hashlib.sha256(content).hexdigest() != entry.sha256:
        raise ModelFolderError(
            f"{where} is not the file that {CONFIG} lists (its size or SHA-256 differs): it is cut off, damaged or "
            f"another one. {NEXT_STEP}"
        )
    limits = config.sizes
    model = FeatureModel(config, read_npz(content, where, limits, next_step=NEXT_STEP))
    try:
        for name, shape in config.arrays.items():
            strict_json.require(model.arrays[name].shape == shape, f"{name} is {model.arrays[name].shape}, not {shape}")
        model.check()
    except ValueError as err:
        raise ModelFolderError(f"{where} cannot be used: {err}. {NEXT_STEP}") from err
    return model
