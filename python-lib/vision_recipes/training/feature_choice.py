"""Which features the head stands on: the last layer's alone, or those of several layers, by cross-validation."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import TRAIN
from vision_recipes.model_folder.inner_layers import inner_layers
from vision_recipes.training.features import FeatureSource
from vision_recipes.training.held_out import held_out, judged, standard_errors_above
from vision_recipes.training.regularisation import held_out_folds
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import percent

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

log = logging.getLogger("vision_recipes")

LAST, SEVERAL = "last", "several"
_MOST_ROWS = 2000
_MOST_NUMBERS = 4e8
"""How many numbers the features of several layers may be, over all pictures, for "auto" to compute them."""


@dataclass(frozen=True)
class FeatureChoice:
    """What was chosen, the names of its inner layers, and the cross-validated accuracies of both if compared."""

    chosen: str
    layers: tuple[str, ...] = ()
    accuracy_last: float | None = None
    accuracy_several: float | None = None

    def described(self) -> dict[str, Any]:
        """Return the choice for metrics.json."""
        return {name: value for name, value in vars(self).items() if value is not None}


def may_use_several(base: Model, settings: RetrainSettings, pictures: int) -> bool:
    """Return whether the features of several layers are computed, for a head that may stand on them."""
    inner = inner_layers(base.layers, base.feature_layer)
    if settings.head_features == LAST or settings.model_pooling == "none" or not inner:
        if settings.head_features == SEVERAL:
            log.warning("head_features is 'several', but %s has no inner layers with places to pool", base.name)
        return False
    numbers = pictures * (base.feature_layer.size + sum(2 * layer.size for layer in inner))
    return settings.head_features == SEVERAL or numbers <= _MOST_NUMBERS


def choose_features(
    images: LabelledImages, source: FeatureSource, settings: RetrainSettings
) -> tuple[LabelledImages, FeatureSource, FeatureChoice]:
    """Return the dataset with the features to use, the source of the like, and what was chosen."""
    if images.several is None:
        return images, source, FeatureChoice(LAST)
    choice = FeatureChoice(SEVERAL) if settings.head_features == SEVERAL else _compare(images, settings)
    if choice.chosen == LAST:
        return replace(images, several=None), replace(source, several=False), choice
    names = tuple(layer.name for layer in source.inner_layers)
    return replace(images, features=images.several, several=None), source, replace(choice, layers=names)


def _compare(images: LabelledImages, settings: RetrainSettings) -> FeatureChoice:
    """Return the better features for held-out training pictures: the last layer's unless the others are surely better.

    Surely means by more than two standard errors of the difference in log loss, and one of that in accuracy.
    """
    train = images.subset(TRAIN)
    train = replace(train, extra=train.extra[:, :0], columns=())
    rows, folds = held_out_folds(train.targets, train.groups, settings.random_seed, _MOST_ROWS)
    train = train.take(rows)
    if train.several is None or not len(rows):
        return FeatureChoice(LAST)
    found = [held_out(part, folds) for part in (train, replace(train, features=train.several))]
    losses, hits = zip(*(judged(part, train) for part in found), strict=True)
    surely = standard_errors_above(losses[0] - losses[1]) > 2 and standard_errors_above(hits[1] - hits[0]) > 1
    right = [float(hit.mean()) for hit in hits]
    log.info(
        "cross-validation on the training pictures: %s right with the features of the last layer alone, "
        "%s with those of several layers",
        *map(percent, right),
    )
    return FeatureChoice(SEVERAL if surely else LAST, (), *right)
