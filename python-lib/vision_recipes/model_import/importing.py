"""A model made elsewhere, turned into a network of ours: graph, weights, labels and preprocessing brought together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_folder import catalogue, layer_graph, networks, weights
from vision_recipes.model_folder.config import HeadConfig, Network, check_preprocessing
from vision_recipes.model_folder.keras2_weights import load_in_order
from vision_recipes.model_folder.labels import read_labels
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.model_import import output_layer
from vision_recipes.model_import.keras_configs import Translation
from vision_recipes.model_import.keras_files import open_keras_file
from vision_recipes.model_import.label_files import read_foreign_labels
from vision_recipes.model_import.predecessor import read_predecessor
from vision_recipes.model_import.sources import Source
from vision_recipes.model_import.weights_files import recognise
from vision_recipes.preprocessing import Preprocessing

OTHER_SCALINGS = {"squeezenet": "caffe"}
"""Scalings of networks that are not in the catalogue, by the start of their name."""

Imported = tuple[Any, ModelSpec, str]
"""A keras.Model with its weights, its description for `save_model`, and a sentence for people (may be empty)."""


def read(source: Source, settings: ImportSettings, workdir: Path) -> Imported:
    """Return the model of a source; raises ModelFolderError or SettingsError."""
    if source.predecessor:
        return _read_predecessor(source, settings, workdir)
    path = source.copy(source.model, workdir)
    return _read_weights(source, settings, path) or _read_file(source, settings, path)


def _read_file(source: Source, settings: ImportSettings, path: Path) -> Imported:
    """Return the network of a file that holds the whole model."""
    with open_keras_file(path, source.where) as (translation, stored):
        size = translation.size
        output = layer_graph.build(translation.graph, (*size, translation.channels)).output_shape
        if len(output) != 2 or not output[-1]:
            raise ModelFolderError(f"{source.where} gives outputs of shape {output}; one score per class is needed.")
        graph, added = output_layer.complete(translation.graph, int(output[-1]))
        classes = max(int(output[-1]), 2)
        spec = ModelSpec(
            name=_name(source),
            network=Network(_plain(translation.names[0]) or "imported", classes=classes),
            input=_preprocessing(settings, source, translation),
            labels=_labels(source, classes),
            graph=graph,
            source=f"imported from {PurePosixPath(source.model).name}",
        )
        network = networks.build(spec)
        weights.set_weights(network, output_layer.WEIGHTS | stored, source.where)
    assumed = "" if translation.sized else f"the file gives no input size, so {size[1]} x {size[0]} is used"
    feature_layer = networks.find_feature_layer(network, output_layer.ADDED)
    return network, replace(spec, feature_layer=feature_layer), "; ".join(filter(None, [added, assumed]))


def _read_weights(source: Source, settings: ImportSettings, path: Path) -> Imported | None:
    """Return the network of the catalogue that a file of weights alone is of; None for a file with the whole model."""
    found = recognise(path, source.where)
    if found is None:
        return None
    row = found.row
    spec = ModelSpec(
        name=_name(source),
        network=Network(row.name, classes=found.classes),
        input=_scaled(settings, row.preprocessing, (row.height, row.width, 3)),
        labels=_labels(source, found.classes),
        feature_layer=row.feature_layer,
        source=f"imported from {PurePosixPath(source.model).name}",
    )
    network = networks.build(spec)
    load_in_order(network, path, source.where)
    if found.rescaled:
        networks.fold_deviations(row, network)
    note = (
        f"the file holds weights only; by their number they are those of {row.name}, used at {row.width} x {row.height}"
    )
    return network, spec, note


def _read_predecessor(source: Source, settings: ImportSettings, workdir: Path) -> Imported:
    found = read_predecessor(source.predecessor, source.names, source.where)
    row = found.architecture
    spec = ModelSpec(
        name=_name(source),
        network=Network(row.name, top=not found.pooling),
        input=_scaled(settings, row.preprocessing, (found.height, found.width, 3)),
        labels=read_labels(source.read_labels(), source.where_labels, found.n_classes),
        feature_layer=row.feature_layer,
        trained_on=str(source.predecessor.get("trained_on", ""))[:100],
        source="imported from a model folder of the predecessor plugin",
        licence="" if found.pooling else row.licence,
    )
    network = networks.build(spec)
    if found.pooling:
        height, width, channels = networks.layer_named(network, row.feature_layer).output.shape[1:]
        features = int(height * width * channels) if found.pooling == "none" else int(channels)
        spec = replace(spec, head=HeadConfig(features, found.pooling))
        network = networks.put_head(network, spec)
    path = source.copy("/" + found.weights, workdir)
    load_in_order(network, path, f"{found.weights} in {source.store.name!r}")
    return network, spec, found.note


def _preprocessing(settings: ImportSettings, source: Source, translation: Translation) -> Preprocessing:
    size = (*translation.size, translation.channels)
    if settings.preprocessing != "auto":
        return _scaled(settings, "", size)
    if source.teachable:
        return _scaled(settings, "tf", size, resize="crop")
    if {"Rescaling", "Normalization"} & {node.kind for node in translation.graph.nodes[1:3]}:
        return _scaled(settings, "raw", size)
    scaling = scaling_by_name((*translation.names, PurePosixPath(source.model).stem))
    if not scaling:
        raise SettingsError(
            f"preprocessing: {source.where} does not say how its pictures are scaled. Choose caffe, tf (-1 to 1), "
            "torch, zero_to_one or raw, as the network was trained with, or give numbers."
        )
    return _scaled(settings, scaling, size)


def scaling_by_name(names: Sequence[str]) -> str:
    """Return the scaling of the first network that one of the names starts with, or an empty text."""
    table = {row.name.lower(): row.preprocessing for row in catalogue.architectures().values()} | OTHER_SCALINGS
    for name in names:
        plain = re.sub("[^a-z0-9]", "", name.lower())
        starts = [start for start in table if plain.startswith(start)]
        if starts:
            return table[max(starts, key=len)]
    return ""


def _scaled(settings: ImportSettings, usual: str, shape: tuple[int, int, int], resize: str = "squash") -> Preprocessing:
    """Return the preprocessing that the settings choose, with the `usual` scaling and resizing for "auto".

    `shape` is (height, width, channels) of the network's input.
    """
    height, width, channels = shape
    scaling = usual if settings.preprocessing == "auto" else settings.preprocessing
    if settings.image_resize != "auto":
        resize = settings.image_resize
    if settings.crop_fraction != 1 and resize != "crop":
        raise SettingsError(
            f"crop_fraction: {settings.crop_fraction} needs image_resize crop, which is {resize!r} here."
        )
    if scaling == "numbers":
        order = "grey" if channels == 1 else settings.channels
        mean, std = _numbers("mean", settings.mean, channels), _numbers("std", settings.std, channels)
        made = Preprocessing(width, height, order, mean, std, resize, settings.crop_fraction)
    else:
        made = replace(
            Preprocessing.named(scaling, width, height, channels=channels, resize=resize),
            crop_fraction=settings.crop_fraction,
        )
    try:
        check_preprocessing(made)
    except ValueError as err:
        raise SettingsError(f"preprocessing: {err}.") from err
    return made


def _numbers(name: str, text: str, channels: int) -> tuple[float, ...]:
    """Return one number for each channel; for a grey network three equal ones are one."""
    try:
        values = tuple(float(part) for part in re.split(r"[,;\s]+", text.strip(" []()")))
    except ValueError as err:
        raise SettingsError(f"{name}: {text!r} is not numbers such as 123.7, 116.8, 103.9.") from err
    if channels == 1 and len(set(values)) == 1:
        values = values[:1]
    if len(values) != channels or not all(abs(value) < 1e6 for value in values):
        needed = "three numbers, one per channel" if channels == 3 else "one number, since the network takes grey"
        raise SettingsError(f"{name}: {text!r} is not {needed}, of ordinary size.")
    return values


def _labels(source: Source, n_classes: int) -> tuple[str, ...]:
    if source.labels:
        return read_foreign_labels(source.read_labels(), source.where_labels, n_classes)
    return catalogue.imagenet_labels() if n_classes == 1000 else tuple(f"class_{number}" for number in range(n_classes))


def _name(source: Source) -> str:
    stem = PurePosixPath(source.model).stem if source.model else str(source.predecessor.get("architecture", "model"))
    return _plain(stem) or "model"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_. ()+-]", "_", text).lstrip("_. ()+-")[:100]
