"""Which features the head stands on: the last layer's alone, or those of several layers, by cross-validation."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import TRAIN, group_folds
from vision_recipes.images.reading import cpu_count
from vision_recipes.metrics import softmax
from vision_recipes.model_folder.inner_layers import inner_layers
from vision_recipes.training.design_matrix import design
from vision_recipes.training.features import FeatureSource
from vision_recipes.training.logistic_regression import Penalty, Problem, Solution, solve
from vision_recipes.training.regularisation import RIDGES, choose_strength
from vision_recipes.training_settings import RetrainSettings

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

log = logging.getLogger("vision_recipes")

LAST, SEVERAL = "last", "several"
_FOLDS, _MOST_ROWS, _FEWEST_ROWS, _WORTH_THREADS = 5, 2000, 20, 500
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
    from threadpoolctl import threadpool_limits

    train = images.subset(TRAIN)
    train = replace(train, extra=train.extra[:, :0], columns=())
    folds = group_folds(train.targets, train.groups, _FOLDS, settings.random_seed, -(-len(train) // _MOST_ROWS))
    train, folds = train.take(np.flatnonzero(folds >= 0)), folds[folds >= 0]
    if len(train) < _FEWEST_ROWS or train.several is None:
        return FeatureChoice(LAST)
    with threadpool_limits(cpu_count() if len(train) > _WORTH_THREADS else 1):
        last = _held_out(train, folds, settings.random_seed)
        several = _held_out(replace(train, features=train.several), folds, settings.random_seed)
    every = np.arange(len(train))
    closer = np.log(several[every, train.targets]) - np.log(last[every, train.targets])
    hits = [found.argmax(axis=1) == train.targets for found in (last, several)]
    surely = _errors_above(closer) > 2 and _errors_above(hits[1].astype(float) - hits[0]) > 1
    right = [float(hit.mean()) for hit in hits]
    log.info(
        "held-out training pictures: %.1f %% right with the features of the last layer, %.1f %% with several layers'",
        *(100 * accuracy for accuracy in right),
    )
    return FeatureChoice(SEVERAL if surely else LAST, (), *right)


def _errors_above(differences: np.ndarray) -> float:
    """Return by how many standard errors the mean of differences (n,) is above 0."""
    return float(differences.mean() / max(differences.std() / np.sqrt(len(differences)), 1e-9))


def _held_out(images: LabelledImages, folds: np.ndarray, seed: int) -> np.ndarray:
    """Return the probabilities (n, classes) that heads give to rows of a fold that they were not fitted to."""
    ready = design(images)
    problem = Problem(ready.matrix, images.one_hot(), images.weights)

    def penalty(ridge: float) -> Penalty:
        return Penalty(np.full(ready.matrix.shape[1], ridge))

    unit = float(problem.squares.sum()) / len(images) or 1.0
    strength = choose_strength(problem, images.groups, penalty, tuple(unit * ridge for ridge in RIDGES), seed=seed)
    logits = np.zeros(problem.targets.shape, np.float32)
    found: Solution | None = None
    for fold in range(_FOLDS):
        kept, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        ridge = penalty(strength.ridge * len(kept) / len(images))
        found = solve(problem.take(kept), ridge, start=found, most_steps=60, tolerance=1e-5)
        logits[left] = found.logits(ready.matrix[left]) * np.float32(strength.factor)
    probabilities: np.ndarray = np.clip(softmax(logits.astype(np.float64)), 1e-6, 1.0)
    return probabilities
