"""Examples of the augmentation that a model was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vision_recipes.errors import VisionError
from vision_recipes.images.reading import read
from vision_recipes.reports.thumbnails import SIDE, Thumbnail, encode
from vision_recipes.reports.training_record import TrainingRecord
from vision_recipes.stores import Store
from vision_recipes.training.augmentation import AugmentationPlan, augment
from vision_recipes.training_settings import RetrainSettings

_PICTURES, _COPIES = 4, 3


def augmentation_examples(training: TrainingRecord | None, store: Store | None, paths: Sequence[str]) -> dict[str, Any]:
    """Return the plan in words and rows of thumbnails, each a picture and its augmented copies; {} without any."""
    if training is None or store is None:
        return {}
    try:
        settings = RetrainSettings.from_params(training.parameters)
        plan = AugmentationPlan.from_pairs(settings.model_custom_params_data_augmentation)
    except VisionError:
        return {}
    if not settings.data_augmentation:
        return {}
    listed = set(store.paths())
    chosen = [path for path in paths[:: max(1, len(paths) // _PICTURES)] if path in listed][:_PICTURES]
    size = replace(training.model.preprocessing, width=SIDE, height=SIDE)
    rows: list[list[Thumbnail]] = []
    for picture in read(store, chosen, size):
        if picture.pixels is not None:
            copies = augment(picture.pixels, _COPIES, plan, f"{settings.random_seed}:{picture.digest}")
            rows.append([encode(picture.pixels), *(encode(pixels) for pixels in copies)])
    return {"plan": str(plan), "copies": settings.n_augmentation, "rows": rows} if rows else {}
