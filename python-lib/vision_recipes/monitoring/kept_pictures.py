"""What a model keeps of the pictures it was made from, as samples to compare new ones with."""

from __future__ import annotations

import numpy as np

from vision_recipes.dataset.splits import TRAIN, VALID
from vision_recipes.model_folder import Model
from vision_recipes.model_folder.reference_pictures import ReferencePictures
from vision_recipes.monitoring.comparison import References
from vision_recipes.monitoring.sample import FLAGGED, Sample
from vision_recipes.monitoring.share_tests import compare_labels
from vision_recipes.rows import KNOWN

MOST_NEW = 400
"""How many new pictures are compared by their looks with kept ones, which may have been computed in another precision.

That difference is systematic but small: a thousand new pictures raised an alarm by it alone, a few hundred did not.
"""

_ANOTHER_MIX = 0.05
"""The p-value below which labels are mixed unlike those of all training pictures."""


def kept_references(model: Model, kept: ReferencePictures, sizes: np.ndarray, seed: int, *, frozen: bool) -> References:
    """Return what a model keeps as references.

    Features of training pictures count where the layers below the last one were `frozen`: else training has made them
    unlike those of any other picture. Labels and verdicts count for validation pictures only. Of many pictures, a model
    keeps as many of each class; here they are mixed as the training pictures were: `sizes` int (classes,), all 0 where
    that is not known.
    """
    every = kept_sample(model, kept)
    train, validation = (_in_the_mix(kept.labels, kept.rows(side), sizes, seed) for side in (TRAIN, VALID))
    looks = np.sort(np.concatenate([train, validation])) if frozen else validation
    return References(every.take(looks), every.take(validation), every.take(validation), MOST_NEW)


def kept_sample(model: Model, kept: ReferencePictures) -> Sample:
    """Return all pictures that a model keeps, of both sides of the split."""
    return Sample(
        kept.paths,
        kept.features,
        kept.predicted,
        kept.probability,
        _verdicts(model, kept),
        (kept.predicted == kept.labels).astype(np.float64),
    )


def _verdicts(model: Model, kept: ReferencePictures) -> np.ndarray:
    detector, known = model.ood_detector, np.isfinite(kept.ood_scores).all()
    if detector is None or not known:
        return np.full(len(kept), "", np.str_)
    verdicts = np.where(kept.ood_scores <= detector.config.limit, KNOWN, FLAGGED).astype(object)
    if kept.features.shape[1] == len(detector.mean):
        for row in np.flatnonzero(verdicts == FLAGGED):
            scores = np.eye(model.config.n_classes)[kept.predicted[row]]
            verdict = detector.assess(scores, kept.features[row])[0]
            verdicts[row] = FLAGGED if verdict == KNOWN else verdict
    return verdicts.astype(np.str_)


def _in_the_mix(labels: np.ndarray, rows: np.ndarray, sizes: np.ndarray, seed: int) -> np.ndarray:
    """Return those of the rows whose labels are mixed as in classes of these sizes; all if they are, within chance."""
    classes = len(sizes)
    if not len(rows) or not sizes.any():
        return rows
    mix = compare_labels(np.repeat(np.arange(classes), sizes), labels[rows], classes, seed)
    if mix.p_value > _ANOTHER_MIX:
        return rows
    present = mix.new > 0
    fraction = float((mix.new[present] / np.maximum(sizes[present], 1)).min())
    draw = np.random.default_rng(seed)
    chosen = [
        draw.permutation(rows[labels[rows] == number])[: round(fraction * sizes[number])]
        for number in np.flatnonzero(present)
    ]
    return np.sort(np.concatenate(chosen))
