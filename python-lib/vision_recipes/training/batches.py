"""The batches that a network is trained on or evaluated with: which pictures, in which order, as which arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.model_folder.config import POOLED
from vision_recipes.preprocessing import Preprocessing, normalise
from vision_recipes.training.augmentation import AugmentationPlan, augment
from vision_recipes.training_settings import RetrainSettings

_PREDICT_BATCH = 32


@dataclass(frozen=True)
class BatchOrder:
    """An endless sequence of batches out of `count` rows, `batch_size` at a time.

    Every pass over the rows holds each of them once, shuffled anew by `seed` (None: in order); its last batch holds
    what is left. An epoch is `steps` batches, 0 = one pass; the sequence continues from one epoch to the next.
    """

    count: int
    batch_size: int
    seed: int | None
    steps: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", self.steps or self.steps_per_pass)

    @property
    def steps_per_pass(self) -> int:
        """How many batches make a pass over all rows."""
        return math.ceil(self.count / self.batch_size)

    def batch(self, number: int) -> tuple[np.ndarray, int]:
        """Return the rows of batch `number`, and the number of the pass that it belongs to; both count from 0."""
        pass_number, place = divmod(number, self.steps_per_pass)
        start, end = place * self.batch_size, min(self.count, (place + 1) * self.batch_size)
        if self.seed is None:
            return np.arange(start, end), pass_number
        return _permutation(self.count, self.seed, pass_number)[start:end], pass_number


@lru_cache(maxsize=4)
def _permutation(count: int, seed: int, pass_number: int) -> np.ndarray:
    return np.random.default_rng((seed, pass_number)).permutation(count)


@dataclass(frozen=True)
class Samples:
    """What a network is trained on, by row: a function that makes its inputs, and class numbers and weights (n,).

    `inputs(rows, pass_number)` returns one array per input of the network; `classes` is the number of classes.
    """

    inputs: Callable[[np.ndarray, int], tuple[np.ndarray, ...]]
    targets: np.ndarray
    weights: np.ndarray
    classes: int

    def __len__(self) -> int:
        return len(self.targets)


def image_samples(
    images: LabelledImages, preprocessing: Preprocessing, settings: RetrainSettings | None = None
) -> Samples:
    """Return the pictures' normalised pixels, float32 (n, height, width, 3), then their extra columns, if any.

    With settings that ask for data augmentation each picture is followed by its augmented copies, which are others in
    each pass; they depend on the seed, the digest of the picture, the pass and the number of the copy alone.
    """
    copies = settings.n_augmentation if settings is not None and settings.data_augmentation else 0
    plan = AugmentationPlan.from_pairs(settings.model_custom_params_data_augmentation if settings is not None else ())

    def inputs(rows: np.ndarray, pass_number: int) -> tuple[np.ndarray, ...]:
        assert images.pixels is not None
        numbers = rows // (copies + 1)
        pixels = images.pixels[numbers]
        for place, copy in enumerate(rows % (copies + 1)):
            if copy and settings is not None:
                material = f"{settings.random_seed}:{images.digests[numbers[place]]}:{pass_number}:{copy}"
                pixels[place] = augment(pixels[place], 1, plan, material)[0]
        extra = (images.extra[numbers],) if images.extra.shape[1] else ()
        return (normalise(pixels, preprocessing), *extra)

    targets, weights = np.repeat(images.targets, copies + 1), np.repeat(images.weights, copies + 1)
    return Samples(inputs, targets, weights, len(images.classes))


def as_keras(samples: Samples, order: BatchOrder, first: int | None = None) -> Any:
    """Return the batches of one epoch as a keras.utils.PyDataset; or, without end, those from number `first` on.

    Training takes them without end, so that the sequence continues over epochs. Evaluation does not: Keras drops an
    iterator that is not exhausted only after up to half a second.
    """
    import keras

    class Batches(keras.utils.PyDataset):
        num_batches = order.steps if first is None else None

        def __getitem__(self, index: int) -> tuple[Any, np.ndarray, np.ndarray]:
            rows, pass_number = order.batch((first or 0) + index)
            inputs = samples.inputs(rows, pass_number)
            targets = keras.utils.to_categorical(samples.targets[rows], samples.classes)
            return inputs if len(inputs) > 1 else inputs[0], targets, samples.weights[rows]

    return Batches()


def features_and_scores(
    network: Any, images: LabelledImages, preprocessing: Preprocessing
) -> tuple[np.ndarray, np.ndarray]:
    """Return what a keras.Model with a head gives for each picture, float32: (n, features), probabilities (n, classes).

    The features are those from which the head computes its logits. Pixels are read batch by batch.
    """
    import keras

    both = keras.Model(network.inputs, [network.get_layer(POOLED).output, network.output])
    order = BatchOrder(len(images), min(_PREDICT_BATCH, len(images)), None)
    features, scores = both.predict(as_keras(image_samples(images, preprocessing), order), verbose=0)
    return np.asarray(features, np.float32), np.asarray(scores, np.float32)
