"""What a training starts from: checked parameters, and the model at the picture size and resize method asked for."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vision_recipes.errors import SettingsError
from vision_recipes.model_folder.spec import require_keras
from vision_recipes.training_settings import RetrainSettings

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

log = logging.getLogger("vision_recipes")


def prepare_model(model: Model, settings: RetrainSettings, workdir: Path) -> tuple[Model, RetrainSettings]:
    """Return the model at the size and resize policy that the settings ask for, and settings that fit the model.

    A model that was retrained keeps its size, pooling and extra columns, since its weights and its users depend on
    them: settings left at their defaults take what the model has. Raises SettingsError when they ask for another size
    or other columns. Random weights mean that all layers are trained, since there is nothing to keep.
    """
    if settings.initial_weights == "random" and settings.layer_to_retrain != "all":
        log.warning(
            "initial_weights is 'random', so all layers are trained from scratch, whatever layer_to_retrain says (%s)",
            settings.layer_to_retrain,
        )
        settings = replace(settings, layer_to_retrain="all")
    head, size = model.config.head, model.preprocessing
    requested = (settings.image_width or size.width, settings.image_height or size.height)
    if head is not None:
        if requested != (size.width, size.height):
            raise SettingsError(
                f"image_width, image_height: model {model.name!r} was retrained with pictures of {size.width} x "
                f"{size.height}, which stays so; {requested[0]} x {requested[1]} was asked for. Leave both 0, or "
                "start from the model that it was retrained from."
            )
        columns = tuple(dict.fromkeys(column.name for column in head.extra))
        if settings.extra_columns and set(settings.extra_columns) != set(columns):
            raise SettingsError(
                f"extra_columns: model {model.name!r} was retrained with "
                f"{', '.join(columns) or 'no extra columns'}, which stays so; {', '.join(settings.extra_columns)} was "
                "asked for. Leave it empty, or start from the model that it was retrained from."
            )
        if settings.model_pooling != head.pooling:
            log.warning("model_pooling stays %r, as the model was retrained with it", head.pooling)
        settings = replace(settings, model_pooling=head.pooling, extra_columns=columns)
    if settings.layer_to_retrain != "last":
        require_keras(model, "training the layers below the last", "Set layer_to_retrain to last and keep the weights.")
    if requested != (size.width, size.height):
        from vision_recipes.model_folder.resizing import resize

        log.info("the network is built anew for pictures of %d x %d", *requested)
        model = resize(model, workdir, *requested)
    if settings.image_resize not in ("model", "auto", model.preprocessing.resize):
        fitted = model.preprocessing.resized_by(settings.image_resize)
        model = replace(model, config=replace(model.config, input=fitted))
    return model, settings


def check_parameters(settings: RetrainSettings) -> None:
    """Raise SettingsError for optimizer and augmentation parameters that cannot be used, naming all of them."""
    problems = []
    for read, pairs in (
        (_read_optimizer, settings.model_custom_params_opti),
        (_read_augmentation, settings.model_custom_params_data_augmentation),
    ):
        try:
            if pairs:
                read(settings)
        except SettingsError as err:
            problems.append(str(err))
    if problems:
        raise SettingsError("; ".join(problems))


def _read_optimizer(settings: RetrainSettings) -> None:
    from vision_recipes.training.optimisers import read_parameters

    read_parameters(settings.model_optimizer, settings.model_custom_params_opti)


def _read_augmentation(settings: RetrainSettings) -> None:
    from vision_recipes.training.augmentation import AugmentationPlan

    AugmentationPlan.from_pairs(settings.model_custom_params_data_augmentation)
