"""Import a model made elsewhere: a Keras file, a Teachable Machine export, a folder of the predecessor plugin."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from vision_recipes.macro_settings import ImportSettings
from vision_recipes.model_folder import model_card, open_model
from vision_recipes.model_folder.saving import save_model
from vision_recipes.model_import import importing
from vision_recipes.model_import.sources import find_source
from vision_recipes.stores import Store


def import_model(
    settings: ImportSettings, output: Store, source: Store | None, progress: Callable[[int, int], None]
) -> dict[str, object]:
    """Write the model into a model folder and return facts about it for people.

    `source` is the store of `model_source_folder`, None when only `model_file` was given.
    """
    with tempfile.TemporaryDirectory() as workdir:
        progress(0, 10)
        network, spec, note = importing.read(find_source(settings, source), settings, Path(workdir))
        progress(5, 10)
        save_model(output, network, spec)
    progress(10, 10)
    return model_card.facts(open_model(output)) | ({"Notes": note} if note else {})
