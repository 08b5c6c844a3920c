"""How pictures are brought to the network's size, chosen by cross-validation on some of the labelled pictures."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vision_recipes.dataset.label_table import LabelTable
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import TRAIN, WORDS, group_folds
from vision_recipes.errors import PictureFolderError
from vision_recipes.model_folder.config import ModelConfig
from vision_recipes.preprocessing import RESIZES, Preprocessing
from vision_recipes.training.features import FeatureSource, read_pictures
from vision_recipes.training.held_out import held_out, judged, standard_errors_above
from vision_recipes.training.regularisation import held_out_folds
from vision_recipes.wording import percent

if TYPE_CHECKING:
    from vision_recipes.model_folder import Model

log = logging.getLogger("vision_recipes")

AUTO = "auto"
_SAMPLE = 600


def choose_resize(source: FeatureSource, table: LabelTable, seed: int) -> Model:
    """Return the base with the resize method that predicts held-out pictures best: its own unless another surely does.

    At most 600 of the labelled pictures are read, once for each method; none of the validation and test pictures that
    a table or folders name. Surely means by more than a standard error of the difference in log loss.
    """
    base, labels = source.base, table.labels
    if table.split:
        given = {path: WORDS.get(str(table.split.get(path)).strip().lower()) for path in labels}
        labels = {path: label for path, label in labels.items() if given[path] == TRAIN}
    paths = _sample(labels, seed)
    own = _losses(source, base.config, paths, labels, seed)
    if not len(own[0]):
        log.info("image_resize: too few pictures to compare; %s stays", _words(base.preprocessing))
        return base
    chosen, best, figures = base.config, own[0], [f"{_words(base.preprocessing)} {percent(own[1])}"]
    for method in RESIZES:
        fitted = base.preprocessing.resized_by(method)
        if fitted == base.preprocessing:
            continue
        config = replace(base.config, input=fitted)
        losses, accuracy = _losses(source, config, paths, labels, seed)
        figures.append(f"{_words(fitted)} {percent(accuracy)}")
        surely = standard_errors_above(own[0] - losses) > 1
        if surely and losses.mean() < best.mean():
            chosen, best = config, losses
    log.info("image_resize: held-out pictures right with %s; %s is used", ", ".join(figures), _words(chosen.input))
    return replace(base, config=chosen)


def _words(preprocessing: Preprocessing) -> str:
    fraction = preprocessing.crop_fraction
    return preprocessing.resize + (f" to the middle {percent(fraction)}" if fraction < 1 else "")


def _sample(labels: Mapping[str, str], seed: int) -> list[str]:
    """Return some of the paths, of each label about the same fraction."""
    paths = sorted(labels)
    every = -(-len(paths) // _SAMPLE)
    names = np.unique([labels[path] for path in paths], return_inverse=True)[1]
    folds = group_folds(names, np.arange(len(paths)), 1, seed, every)
    return [paths[place] for place in np.flatnonzero(folds >= 0)]


def _losses(
    source: FeatureSource, config: ModelConfig, paths: list[str], labels: Mapping[str, str], seed: int
) -> tuple[np.ndarray, float]:
    """Return the log loss of each held-out picture, and the fraction that is right, with the resize of a config."""
    try:
        read = read_pictures(replace(source, base=replace(source.base, config=config), several=False), paths)
    except PictureFolderError:  # none can be read: the training itself says so
        return np.empty(0), 0.0
    classes, targets = np.unique([labels[picture.path] for picture in read.usable], return_inverse=True)
    images = LabelledImages.of_features(np.array(read.features), targets, [str(label) for label in classes])
    rows, folds = held_out_folds(images.targets, images.groups, seed)
    if not len(rows) or len(classes) < 2:
        return np.empty(0), 0.0
    images = images.take(rows)
    losses, hits = judged(held_out(images, folds), images)
    return losses, float(hits.mean())
