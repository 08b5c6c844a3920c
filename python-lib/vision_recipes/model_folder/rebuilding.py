"""A Keras network made again from a model folder: built from its description, then given checked weights."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import Any

from vision_recipes.model_folder import hdf5, layer_graph, networks, weights
from vision_recipes.model_folder.folder import Model


def blueprint(model: Model) -> networks.Blueprint:
    """Return how the model's network is built."""
    config = model.config
    return networks.Blueprint(
        config.network,
        config.input.width,
        config.input.height,
        config.feature_layer,
        config.head,
        config.n_classes,
        read_graph(model),
    )


def read_graph(model: Model) -> layer_graph.Graph | None:
    """Return the graph of an imported network, None for one of the catalogue."""
    entry = model.config.files.graph
    return None if entry is None else layer_graph.read_graph(model.read(entry, 8 << 20), model.where(entry))


def rebuild(model: Model) -> Any:
    """Return the keras.Model of the folder with its weights."""
    network = networks.build(blueprint(model))
    if model.config.ends_in_features:
        network = networks.cut(network, model.config.feature_layer)
    load_weights(network, model)
    return network


def load_weights(network: Any, model: Model) -> None:
    """Give a network the model's weights by the names of its layers; all of its layers must be among them."""
    entries = [model.config.files.weights, *filter(None, [model.config.files.head])]
    with tempfile.TemporaryDirectory() as workdir, ExitStack() as files:
        stored: hdf5.Variables = {}
        for path, entry in zip(model.weights(workdir), entries, strict=True):
            file = files.enter_context(hdf5.open_hdf5(path, model.where(entry)))
            found = hdf5.read_stored(file, model.where(entry))
            stored |= {name: list(layer.variables) for name, layer in found.items()}
        weights.set_weights(network, stored, model.where(entries[0]))
