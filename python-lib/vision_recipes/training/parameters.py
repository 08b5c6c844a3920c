"""The free-form parameters of a training, checked before any work."""

from __future__ import annotations

from vision_recipes.errors import SettingsError
from vision_recipes.settings import RetrainSettings
from vision_recipes.training.augmentation import AugmentationPlan
from vision_recipes.training.optimisers import read_parameters


def check_parameters(settings: RetrainSettings) -> None:
    """Raise SettingsError for optimizer and augmentation parameters that cannot be used, naming all of them."""
    problems = []
    for read in (
        lambda: read_parameters(settings.model_optimizer, settings.model_custom_params_opti),
        lambda: AugmentationPlan.from_pairs(settings.model_custom_params_data_augmentation),
    ):
        try:
            read()
        except SettingsError as err:
            problems.append(str(err))
    if problems:
        raise SettingsError("; ".join(problems))
