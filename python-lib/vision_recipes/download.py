"""Put a pre-trained network with its published weights into a folder."""

from __future__ import annotations

import logging
from collections.abc import Callable

from vision_recipes.errors import ModelFolderError
from vision_recipes.macro_settings import DownloadSettings
from vision_recipes.model_folder import catalogue, model_card, open_model
from vision_recipes.pretrained import published
from vision_recipes.stores import Store

log = logging.getLogger("vision_recipes")

RETIRED = {"starter": "the starter model is gone"}
"""Choices of earlier versions, which get the default network now, and what is said of them."""


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
    note = {"Note": f"{retired}: {row.name}, trained on ImageNet, has taken its place"} if retired else {}
    for text in note.values():
        log.warning("%s; models retrained from it keep working", text)
    return note | model_card.facts(open_model(output))
