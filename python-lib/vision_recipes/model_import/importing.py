"""A model made elsewhere, turned into a network of ours: graph, weights, labels and preprocessing brought together."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.model_folder import catalogue, hdf5, layer_graph, networks, weights
from vision_recipes.model_folder.config import Network, check_preprocessing
from vision_recipes.model_folder.keras2_weights import read_in_order
from vision_recipes.model_folder.labels import imagenet_labels, numbered_labels, read_labels
from vision_recipes.model_folder.saving import ModelSpec
from vision_recipes.model_import import output_layer
from vision_recipes.model_import.keras_configs import Translation
from vision_recipes.model_import.keras_files import KerasFile, open_keras_file
from vision_recipes.model_import.label_files import read_foreign_labels
from vision_recipes.model_import.predecessor import OlderModel, read_older
from vision_recipes.model_import.sources import Source
from vision_recipes.model_import.weights_files import Recognised, recognise
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.settings import ImportSettings

KNOWN_SCALINGS = {"squeezenet": "caffe"}
"""Scalings of networks that are not in the catalogue, by the start of their name."""


@dataclass(frozen=True)
class Imported:
    """A keras.Model with its weights, its description for `save_model`, and a sentence for people (may be empty)."""

    network: Any
    spec: ModelSpec
    note: str = ""


def read(source: Source, settings: ImportSettings, workdir: Path) -> Imported:
    """Return the model of a source; raises ModelFolderError or SettingsError."""
    if source.older:
        return _read_older(source, settings, workdir)
    path = source.copy(source.model, workdir)
    recognised = recognise(path, source.where)
    if recognised is not None:
        return _read_weights(source, settings, recognised, path)
    with open_keras_file(path, source.where) as found:
        return _read_file(source, settings, found)


def _read_file(source: Source, settings: ImportSettings, found: KerasFile) -> Imported:
    told, size = found.translation, found.translation.size
    output = layer_graph.build(told.graph, size).output_shape
    if len(output) != 2 or not output[-1]:
        raise ModelFolderError(f"{source.where} gives outputs of shape {output}; one score per class is needed.")
    ending = output_layer.finish(told.graph, int(output[-1]))
    network = layer_graph.build(ending.graph, size)
    weights.set_weights(network, found.stored | ending.weights(), source.where)
    preprocessing = _preprocessing(settings, source, told)
    notes = [ending.note, "" if told.sized else f"the file tells no input size, so {size[1]} x {size[0]} is used"]
    spec = ModelSpec(
        name=_name(source),
        network=Network(_plain(told.names[0]) or "imported", classes=ending.classes),
        input=preprocessing,
        labels=_labels(source, ending.classes),
        feature_layer=networks.find_feature_layer(network, output_layer.ADDED),
        graph=ending.graph,
        source=f"imported from {PurePosixPath(source.model).name}",
    )
    return Imported(network, spec, "; ".join(filter(None, notes)))


def _read_weights(source: Source, settings: ImportSettings, found: Recognised, path: Path) -> Imported:
    row = found.row
    network = networks.build(networks.Blueprint(Network(row.name, classes=found.classes), row.width, row.height))
    with hdf5.open_hdf5(path, source.where) as file:
        weights.set_weights(network, read_in_order(file, network, source.where), source.where)
    if found.rescaled:
        networks.fold_deviations(row, network)
    scaling = row.preprocessing if settings.preprocessing == "auto" else settings.preprocessing
    spec = ModelSpec(
        name=_name(source),
        network=Network(row.name, classes=found.classes),
        input=_scaled(settings, scaling, (row.height, row.width)),
        labels=_labels(source, found.classes),
        feature_layer=row.feature_layer,
        source=f"imported from {PurePosixPath(source.model).name}",
    )
    note = (
        f"the file holds weights only; by their number they are those of {row.name}, used at {row.width} x {row.height}"
    )
    return Imported(network, spec, note)


def _read_older(source: Source, settings: ImportSettings, workdir: Path) -> Imported:
    older = read_older(source.older, source.names, source.where)
    blueprint = networks.Blueprint(
        older.network, older.width, older.height, older.architecture.feature_layer, n_classes=older.n_classes
    )
    network = networks.build(blueprint)
    head = None
    if older.pooling:
        head = older.head(_pooled_size(network, older))
        network = networks.put_head(network, replace(blueprint, head=head))
    where = f"{older.weights} in {source.store.name!r}"
    with hdf5.open_hdf5(source.copy("/" + older.weights, workdir), where) as file:
        weights.set_weights(network, read_in_order(file, network, where), where)
    scaling = older.architecture.preprocessing if settings.preprocessing == "auto" else settings.preprocessing
    spec = ModelSpec(
        name=_name(source),
        network=older.network,
        input=_scaled(settings, scaling, (older.height, older.width)),
        labels=read_labels(
            source.read_labels(), f"{source.labels.lstrip('/')} in {source.store.name!r}", older.n_classes
        ),
        feature_layer=older.architecture.feature_layer,
        head=head,
        trained_on=str(source.older.get("trained_on", ""))[:100],
        source="imported from a model folder of the older plugin",
        licence="" if older.pooling else older.architecture.licence,
    )
    return Imported(network, spec, older.note)


def _preprocessing(settings: ImportSettings, source: Source, told: Translation) -> Preprocessing:
    if settings.preprocessing != "auto":
        return _scaled(settings, settings.preprocessing, told.size)
    if source.teachable:
        return _scaled(settings, "tf", told.size, resize="crop")
    kinds = [node.kind for node in told.graph.nodes[1:3]]
    if "Rescaling" in kinds or "Normalization" in kinds:
        return _scaled(settings, "raw", told.size)
    scaling = known_scaling((*told.names, PurePosixPath(source.model).stem))
    if not scaling:
        raise SettingsError(
            f"preprocessing: {source.where} does not tell how its pictures are scaled. Choose caffe, tf (-1 to 1), "
            "torch, zero_to_one or raw, as the network was trained with, or give numbers."
        )
    return _scaled(settings, scaling, told.size)


def known_scaling(names: tuple[str, ...]) -> str:
    """Return the scaling of the first network that one of the names starts with, or an empty text."""
    table = {row.name.lower(): row.preprocessing for row in catalogue.architectures().values()} | KNOWN_SCALINGS
    for name in names:
        plain = re.sub("[^a-z0-9]", "", name.lower())
        starts = [start for start in table if plain.startswith(start)]
        if starts:
            return table[max(starts, key=len)]
    return ""


def _scaled(settings: ImportSettings, scaling: str, size: tuple[int, int], resize: str = "squash") -> Preprocessing:
    height, width = size
    if scaling != "numbers":
        return Preprocessing.named(scaling, width, height, resize=resize)
    mean, std = _three("mean", settings.mean), _three("std", settings.std)
    made = Preprocessing(width, height, settings.channels, mean, std, resize)
    try:
        check_preprocessing(made)
    except ValueError as err:
        raise SettingsError(f"preprocessing by numbers: {err}.") from err
    return made


def _three(name: str, text: str) -> tuple[float, float, float]:
    try:
        first, second, third = (float(part) for part in re.split(r"[,;\s]+", text.strip(" []()")))
    except ValueError as err:
        raise SettingsError(f"{name}: {text!r} is not three numbers such as 123.7, 116.8, 103.9.") from err
    if not all(abs(value) < 1e6 for value in (first, second, third)):
        raise SettingsError(f"{name}: {text!r} is not three numbers of ordinary size.")
    return first, second, third


def _labels(source: Source, n_classes: int) -> tuple[str, ...]:
    if source.labels:
        where = f"{source.labels.lstrip('/')} in {source.labels_store.name!r}"
        return read_foreign_labels(source.read_labels(), where, n_classes)
    return imagenet_labels() if n_classes == 1000 else numbered_labels(n_classes)


def _name(source: Source) -> str:
    stem = PurePosixPath(source.model).stem if source.model else str(source.older.get("architecture", "model"))
    return _plain(stem) or "model"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_. ()+-]", "_", text).lstrip("_. ()+-")[:100]


def _pooled_size(base: Any, older: OlderModel) -> int:
    shape = networks.layer_named(base, older.architecture.feature_layer).output.shape[1:]
    return int(shape[0] * shape[1] * shape[2]) if older.pooling == "none" else int(shape[-1])
