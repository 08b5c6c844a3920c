"""Put a pre-trained model into a folder: the bundled starter, or a network with its published weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vision_recipes.errors import ModelFolderError
from vision_recipes.macro_settings import DownloadSettings
from vision_recipes.model_folder import catalogue, model_card, open_model
from vision_recipes.model_folder.commit import copy_model
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_folder.spec import ModelSpec
from vision_recipes.pretrained import published
from vision_recipes.resources import resource_folder
from vision_recipes.stores import LocalStore, Store


def download(settings: DownloadSettings, output: Store, progress: Callable[[int, int], None]) -> dict[str, object]:
    """Write the chosen model into a model folder and return facts about it for people.

    A model that was in the folder stays until the new one is complete. `progress` counts bytes.
    """
    if settings.model_choice == catalogue.STARTER:
        copy_model(LocalStore(resource_folder() / catalogue.STARTER, "the starter"), output)
        progress(1, 1)
        return model_card.facts(open_model(output))
    row = catalogue.find(settings.model_choice)
    weights, (network, spec) = _network(row, settings, lambda done, total: progress(done * 9, total * 10))
    save_model(output, network, spec)
    published.discard(weights)
    progress(1, 1)
    return model_card.facts(open_model(output))


def _network(
    row: catalogue.Architecture, settings: DownloadSettings, progress: Callable[[int, int], None]
) -> tuple[Path, tuple[Any, ModelSpec]]:
    """Return the weights file and the network; a file that another job removes meanwhile is obtained once more."""
    weights = published.obtain(row, settings, progress)
    try:
        return weights, published.build(row, weights)
    except (OSError, ModelFolderError):
        if weights.exists():
            raise
        return weights, published.build(row, published.obtain(row, settings, progress))
