"""Put a pre-trained network with its published weights into a folder."""

from __future__ import annotations

from collections.abc import Callable

from vision_recipes.errors import ModelFolderError
from vision_recipes.macro_settings import DownloadSettings
from vision_recipes.model_folder import catalogue, model_card, open_model
from vision_recipes.model_folder.catalogue import RETIRED
from vision_recipes.pretrained import published
from vision_recipes.stores import Store


def download(settings: DownloadSettings, output: Store, progress: Callable[[int, int], None]) -> dict[str, object]:
    """Write the chosen model into a model folder and return facts about it for people.

    A model that was in the folder stays until the new one is complete. `progress` counts bytes.
    """
    retired = RETIRED.get(settings.model_choice.strip().lower())
    row = catalogue.find(catalogue.DEFAULT if retired else settings.model_choice)

    def received(done: int, total: int) -> None:
        progress(done * 9, total * 10)

    weights = published.obtain(row, settings, received)
    try:
        published.save(row, weights, output)
    except (OSError, ModelFolderError):
        if weights.exists():
            raise
        # another job removed the file meanwhile
        weights = published.obtain(row, settings, received)
        published.save(row, weights, output)
    published.discard(weights)
    progress(1, 1)
    place = f"{row.name}, trained on ImageNet, has taken its place; models retrained from it keep working"
    note = {"Note": f"{retired}: {place}"} if retired else {}
    return note | model_card.facts(open_model(output))
