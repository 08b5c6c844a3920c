"""A model made elsewhere, turned into a network of ours: graph, weights, labels and preprocessing brought together."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from vision_recipes.errors import ModelFolderError, SettingsError
from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_folder import catalogue, networks, weights
from vision_recipes.model_folder.config import HeadConfig, Network
from vision_recipes.model_folder.graph_shapes import graph_shapes
from vision_recipes.model_folder.hdf5 import require_shapes
from vision_recipes.model_folder.keras2_weights import load_in_order, require_array
from vision_recipes.model_folder.labels import read_labels
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.model_import import output_layer
from vision_recipes.model_import.keras_configs import Translation
from vision_recipes.model_import.keras_files import open_keras_file
from vision_recipes.model_import.label_files import read_foreign_labels
from vision_recipes.model_import.predecessor import read_predecessor
from vision_recipes.model_import.scaling import Scaling, recognise, scaled
from vision_recipes.model_import.sources import Source
from vision_recipes.model_import.weights_files import recognise as recognise_weights

log = logging.getLogger("vision_recipes")

_TWICE = (
    "the network scales pictures itself, and preprocessing scales them before: its answers mean something only if it "
    "was trained so. Leave preprocessing at auto if not"
)


@dataclass(frozen=True)
class Imported:
    """A keras.Model with its weights, its description for `save_model`, and notes for people.

    `guess` says which part of the preprocessing is only a guess. With `known` False there is none, and the spec's is no
    better than any other.
    """

    network: Any
    spec: ModelSpec
    notes: tuple[str, ...] = ()
    guess: str = ""
    known: bool = True

    def answer(self, values: np.ndarray) -> np.ndarray:
        """Return the probabilities (n, classes) for what the network takes, float32 (n, height, width, channels)."""
        return np.asarray(self.network(values, training=False), np.float32)


def read(source: Source, settings: ImportSettings, workdir: Path) -> Imported:
    """Return the model of a source; raises ModelFolderError or SettingsError."""
    for name, value in (("output_kind", settings.output_kind), ("input_layout", settings.input_layout)):
        if value != "auto":
            raise SettingsError(f"{name}: {value!r} is for ONNX files; {source.where} is none. Leave it at auto.")
    if source.predecessor:
        return _read_predecessor(source, settings, workdir)
    path = source.copy(source.model, workdir)
    return _read_weights(source, settings, path) or _read_file(source, settings, path)


def _read_file(source: Source, settings: ImportSettings, path: Path) -> Imported:
    """Return the network of a file that holds the whole model."""
    with open_keras_file(path, source.where, settings.model_output) as (translation, stored):
        size = _size(settings, source, translation)
        shape = (*size, translation.channels)
        layers = graph_shapes(translation.graph, shape, source.where)
        require_shapes({name: layer.variables for name, layer in layers.items()}, stored, source.where)
        output = layers[translation.graph.nodes[-1].name].output
        if len(output) != 1:
            raise ModelFolderError(f"{source.where} gives outputs of shape {output}; one score per class is needed.")
        graph, added = output_layer.complete(translation.graph, int(output[-1]))
        classes = max(int(output[-1]), 2)
        scaling = _preprocessing(settings, source, translation, shape)
        spec = ModelSpec(
            name=_name(source),
            network=Network(_plain(translation.names[0]) or "imported", classes=classes),
            input=scaling.preprocessing,
            labels=_labels(source, classes),
            graph=graph,
            source=f"imported from {PurePosixPath(source.model).name}",
            notes=_sentence(scaling.guess),
        )
        network = networks.build(spec)
        weights.set_weights(network, output_layer.WEIGHTS | stored, source.where)
    assumed = translation.sized or settings.image_width
    note = (
        "" if assumed else f"the file gives no input size, so {size[1]} x {size[0]} is used (image_width, image_height)"
    )
    feature_layer = networks.find_feature_layer(network, output_layer.ADDED)
    twice = translation.scales_pixels and scaling.preprocessing.std != (1.0,) * translation.channels
    if twice:
        log.warning("%s", _TWICE)
    notes = tuple(filter(None, [added, note, _TWICE if twice else ""]))
    return Imported(network, replace(spec, feature_layer=feature_layer), notes, scaling.guess, scaling.known)


def _read_weights(source: Source, settings: ImportSettings, path: Path) -> Imported | None:
    """Return the network of the catalogue that a file of weights alone is of; None for a file with the whole model."""
    found = recognise_weights(path, source.where)
    if found is None:
        return None
    row = found.row
    height, width = settings.image_height or row.height, settings.image_width or row.width
    spec = ModelSpec(
        name=_name(source),
        network=Network(row.name, classes=found.classes),
        input=scaled(settings, row.preprocessing, (height, width, 3)),
        labels=_labels(source, found.classes),
        feature_layer=row.feature_layer,
        source=f"imported from {PurePosixPath(source.model).name}",
    )
    network = networks.build(spec)
    load_in_order(network, path, source.where)
    if found.rescaled:
        networks.fold_deviations(row, network)
    note = f"the file holds weights only; by their number they are those of {row.name}, used at {width} x {height}"
    return Imported(network, spec, (note,))


def _read_predecessor(source: Source, settings: ImportSettings, workdir: Path) -> Imported:
    found = read_predecessor(source.predecessor, source.names, source.where)
    row = found.architecture
    spec = ModelSpec(
        name=_name(source),
        network=Network(row.name, top=not found.pooling),
        input=scaled(settings, row.preprocessing, (found.height, found.width, 3)),
        labels=read_labels(source.read_labels(), source.where_labels, found.n_classes),
        feature_layer=row.feature_layer,
        trained_on=str(source.predecessor.get("trained_on", ""))[:100],
        source="imported from a model folder of the predecessor plugin",
        licence="" if found.pooling else row.licence,
    )
    path, where = source.copy("/" + found.weights, workdir), f"{found.weights} in {source.store.name!r}"
    network = networks.build(spec)
    if found.pooling:
        height, width, channels = networks.layer_named(network, row.feature_layer).output.shape[1:]
        features = int(height * width * channels) if found.pooling == "none" else int(channels)
        require_array(path, where, (features, found.n_classes))
        spec = replace(spec, head=HeadConfig(features, found.pooling))
        network = networks.put_head(network, spec)
    load_in_order(network, path, where)
    return Imported(network, spec, tuple(filter(None, [found.note])))


def _size(settings: ImportSettings, source: Source, translation: Translation) -> tuple[int, int]:
    """Return the (height, width) of the pictures: the file's own, or the chosen one where it leaves that open."""
    chosen = (settings.image_height, settings.image_width)
    if chosen == (0, 0) or chosen == translation.size:
        return translation.size
    if translation.sized:
        height, width = translation.size
        raise SettingsError(
            f"image_width, image_height: {source.where} takes pictures of {width} x {height}, not {chosen[1]} x "
            f"{chosen[0]}. Leave both at 0."
        )
    return chosen


def _preprocessing(
    settings: ImportSettings, source: Source, translation: Translation, shape: tuple[int, int, int]
) -> Scaling:
    if source.teachable:
        return Scaling(scaled(settings, "tf", shape, resize="crop"))
    if translation.scales_pixels:
        return Scaling(scaled(settings, "raw", shape))
    names = (*translation.names, PurePosixPath(source.model).stem)
    return recognise(settings, shape, names, source.where)


def _labels(source: Source, n_classes: int) -> tuple[str, ...]:
    if source.labels:
        return read_foreign_labels(source.read_labels(), source.where_labels, n_classes)
    return catalogue.imagenet_labels() if n_classes == 1000 else tuple(f"class_{number}" for number in range(n_classes))


def _name(source: Source) -> str:
    stem = PurePosixPath(source.model).stem if source.model else str(source.predecessor.get("architecture", "model"))
    return _plain(stem) or "model"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_. ()+-]", "_", text).lstrip("_. ()+-")[:100]


def _sentence(text: str) -> str:
    """Return a note as a sentence of the model card."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""
