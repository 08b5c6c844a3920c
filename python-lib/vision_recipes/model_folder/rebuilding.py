"""Keras networks rebuilt from a model folder: built from its description, then given verified weights."""

from __future__ import annotations

import tempfile
from typing import Any

from vision_recipes.model_folder import networks, weights
from vision_recipes.model_folder.folder import Model
from vision_recipes.model_folder.spec import spec_of


def rebuild(model: Model) -> Any:
    """Return the keras.Model of the folder with its weights."""
    network = networks.build(spec_of(model))
    if model.config.ends_in_features:
        network = networks.cut(network, model.config.feature_layer)
    load_weights(network, model)
    return network


def load_weights(network: Any, model: Model) -> None:
    """Load the model's weights into a network by the names of its layers, which must all be among them."""
    entries = [model.config.files.weights, *filter(None, [model.config.files.head])]
    with tempfile.TemporaryDirectory() as workdir:
        weights.load_files(network, list(zip(model.weights(workdir), map(model.where, entries), strict=True)))
