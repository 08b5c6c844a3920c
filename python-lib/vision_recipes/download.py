"""Put a pre-trained model into a folder: the bundled starter, or a network with its published weights."""

from __future__ import annotations

from collections.abc import Callable

from vision_recipes.model_folder import catalogue, model_card, open_model
from vision_recipes.model_folder.copying import copy_model
from vision_recipes.model_folder.saving import save_model
from vision_recipes.pretrained import published
from vision_recipes.resources import resource_folder
from vision_recipes.settings import DownloadSettings
from vision_recipes.stores import LocalStore, Store


def download(settings: DownloadSettings, output: Store, progress: Callable[[int, int], None]) -> dict[str, object]:
    """Write the chosen model into a model folder and return facts about it for people.

    A model that was in the folder stays until the new one is whole. `progress` counts bytes.
    """
    if settings.model_choice == catalogue.STARTER:
        copy_model(LocalStore(resource_folder() / catalogue.STARTER, "the starter"), output)
        progress(1, 1)
        return model_card.facts(open_model(output))
    row = catalogue.find(settings.model_choice)
    weights = published.obtain(row, settings, lambda done, total: progress(done * 9, total * 10))
    network, spec = published.build(row, weights)
    save_model(output, network, spec)
    published.discard(weights)
    progress(1, 1)
    return model_card.facts(open_model(output))
