"""Model folders of Keras' networks with random weights, to measure speed with."""

from __future__ import annotations

from pathlib import Path

from vision_recipes.model_folder import Network
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.preprocessing import Preprocessing
from vision_recipes.stores import LocalStore


def make_model(folder: Path, name: str, scaling: str) -> None:
    """Write the network of that name, its pixels scaled as `scaling` says."""
    import keras

    network = getattr(keras.applications, name)(weights=None)
    labels = tuple(f"class {number}" for number in range(1000))
    folder.mkdir()
    save_model(
        LocalStore(folder), network, ModelSpec(name, Network(name), Preprocessing.named(scaling, 224, 224), labels)
    )
