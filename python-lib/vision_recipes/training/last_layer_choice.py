"""Whether the last layer is linear or a kernel machine, by cross-validation on the training pictures."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.training.design_matrix import without_columns
from vision_recipes.training.held_out import held_out, judged, standard_errors_above
from vision_recipes.training.kernel_layer import KERNEL, held_out_kernel
from vision_recipes.training.regularisation import held_out_folds
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import percent

log = logging.getLogger("vision_recipes")

LINEAR = "linear"
_MOST_ROWS, _MOST_LOGITS = 2000, 100_000
_MOST_FEATURES = 100_000


@dataclass(frozen=True)
class LastLayerChoice:
    """What was chosen, and the cross-validated accuracies of both if compared."""

    chosen: str
    accuracy_linear: float | None = None
    accuracy_kernel: float | None = None

    def described(self) -> dict[str, Any]:
        """Return the choice for metrics.json."""
        return {name: value for name, value in vars(self).items() if value is not None}


def choose_last_layer(train: LabelledImages, settings: RetrainSettings) -> LastLayerChoice:
    """Return the kernel machine if it is surely better on held-out training rows, or if the settings name it.

    Surely means by more than two standard errors of the difference in log loss, and one and a half in accuracy. With
    extra columns, an optimizer, a penalty or layers below to train it is not compared: the layer is linear.
    """
    if settings.last_layer != "auto":
        return LastLayerChoice(settings.last_layer)
    given = settings.model_optimizer != "auto" or settings.model_l1 or settings.model_l2 or settings.model_dropout
    if given or train.columns or settings.layer_to_retrain != "last" or train.features.shape[1] > _MOST_FEATURES:
        return LastLayerChoice(LINEAR)
    most_rows = min(_MOST_ROWS, _MOST_LOGITS // len(train.classes))
    rows, folds = held_out_folds(train.targets, train.groups, settings.random_seed, most_rows)
    if not len(rows):
        return LastLayerChoice(LINEAR)
    part = without_columns(replace(train.take(rows), several=None))
    found = held_out(part, folds), held_out_kernel(part, folds, settings.random_seed)
    (losses, hits), (kernel_losses, kernel_hits) = (judged(each, part) for each in found)
    surely = standard_errors_above(losses - kernel_losses) > 2 and standard_errors_above(kernel_hits - hits) > 1.5
    right = float(hits.mean()), float(kernel_hits.mean())
    log.info(
        "cross-validation on the training pictures: %s right with a linear last layer, %s with a kernel machine",
        *map(percent, right),
    )
    return LastLayerChoice(KERNEL if surely else LINEAR, *right)
