"""Keras networks made from a model folder: as it is, or with a new head for further training."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from typing import Any

from vision_recipes.model_folder import networks, weights
from vision_recipes.model_folder.folder import Model
from vision_recipes.model_folder.heads import About, Head, spec_with_head
from vision_recipes.model_folder.spec import spec_of


def rebuild(model: Model) -> Any:
    """Return the keras.Model of the folder with its weights."""
    network = networks.build(spec_of(model))
    if model.config.ends_in_features:
        network = networks.cut(network, model.config.feature_layer)
    load_weights(network, model)
    return network


def attach_head(base: Model, head: Head, *, pretrained: bool = True) -> Any:
    """Return the keras.Model of the base with the head on it, for fine-tuning; all weights set, or random ones."""
    import keras

    spec = spec_with_head(base, head, About(base.name))
    whole = networks.build(replace(spec, head=None))
    if pretrained:
        features = networks.layer_named(whole, spec.feature_layer).output
        load_weights(keras.Model(whole.inputs[0], features), base)
    network = networks.put_head(whole, spec)
    if pretrained:
        network.get_layer("head_scores").set_weights(head.weights)
    return network


def load_weights(network: Any, model: Model) -> None:
    """Load the model's weights into a network by the names of its layers, which must all be among them."""
    entries = [model.config.files.weights, *filter(None, [model.config.files.head])]
    with tempfile.TemporaryDirectory() as workdir:
        weights.load_files(network, list(zip(model.weights(workdir), map(model.where, entries), strict=True)))
