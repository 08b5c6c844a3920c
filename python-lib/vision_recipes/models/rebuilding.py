"""A Keras network made again from a model folder: built from its description, then given checked weights."""

from __future__ import annotations

import tempfile
from typing import Any

from vision_recipes.models import graphs, networks, weights
from vision_recipes.models.folder import Model


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


def read_graph(model: Model) -> graphs.Graph | None:
    """Return the graph of an imported network, None for one of the catalogue."""
    entry = model.config.files.graph
    return None if entry is None else graphs.read_graph(model.read(entry, 8 << 20), model.where(entry))


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
    with tempfile.TemporaryDirectory() as workdir:
        stored: dict[str, list[Any]] = {}
        for path, entry in zip(model.weights(workdir), entries, strict=True):
            with weights.open_hdf5(path, model.where(entry)) as file:
                by_name, _by_place = weights.read_keras3(file, model.where(entry))
                stored |= {name: [item[()] for item in items] for name, items in by_name.items()}
        weights.set_weights(network, stored, model.where(entries[0]))
