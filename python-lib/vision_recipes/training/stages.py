"""The stages of a retraining: the last layer, the layers below if wanted, calibration, out-of-distribution."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from vision_recipes import metrics
from vision_recipes.dataset.labelled_images import LabelledImages
from vision_recipes.dataset.splits import SIDES, TEST, TRAIN, VALID
from vision_recipes.model_folder.heads import Head
from vision_recipes.model_folder.ood import MAX_CLASSES
from vision_recipes.model_folder.reference_pictures import ReferencePictures
from vision_recipes.stores import Store
from vision_recipes.training.calibration import calibrate
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.feature_choice import choose_features
from vision_recipes.training.features import FeatureSource
from vision_recipes.training.last_layer_choice import choose_last_layer
from vision_recipes.training.linear_probe import fit
from vision_recipes.training.ood import fit_ood
from vision_recipes.training.reference_pictures import Kept, choose_kept, reference_pictures
from vision_recipes.training.tensorboard_logs import TensorBoardLogs
from vision_recipes.training_settings import RetrainSettings
from vision_recipes.wording import counted, percent

log = logging.getLogger("vision_recipes")


@dataclass
class Trained:
    """The result: the head, and a keras.Model when training the layers below made it better.

    `logits` holds float32 (n, classes) for the validation and the test side; `metrics` more figures for metrics.json.
    Of the pictures in `kept` the model keeps what `reference` then holds.
    """

    head: Head
    how: str
    kept: Kept
    network: Any = None
    epochs: list[tuple[str, Epoch]] = field(default_factory=list)
    logits: dict[int, np.ndarray] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    reference: ReferencePictures | None = None

    def summary(self, images: LabelledImages) -> str:
        """Return a sentence on the accuracy, for the log."""
        parts = []
        for side, logits in self.logits.items():
            accuracy = metrics.accuracy(logits, images.targets[images.rows(side)])
            parts.append(f"{percent(accuracy)} of {counted(len(logits), f'{SIDES[side]} picture')} right")
        return "; ".join(parts)


def train(
    images: LabelledImages,
    source: FeatureSource,
    settings: RetrainSettings,
    output: Store,
    thumbnails: Mapping[str, bytes] = MappingProxyType({}),
) -> Trained:
    """Return the trained model. TensorBoard logs are written into `output` meanwhile, if the settings say so."""
    epochs: list[tuple[str, Epoch]] = []
    with closing(TensorBoardLogs(output)) if settings.tensorboard else nullcontext() as logs:

        def record(stage: str, epoch: Epoch) -> None:
            epochs.append((stage, epoch))
            if logs is not None:
                logs.add(stage, epoch)

        images, source, choice = choose_features(images, source, settings)
        width = source.base.feature_layer.size if source.inner_layers else images.features.shape[1]
        kept = choose_kept(images, width, thumbnails, settings)
        trained = _train_last_layer(images, source, settings, kept, partial(record, "last layer"))
        trained.metrics["features"] = choice.described()
        if settings.layer_to_retrain != "last":
            images = _fine_tune(images, source, settings, trained, partial(record, "fine-tuning"))
    trained.epochs = epochs
    if VALID in trained.logits:
        _calibrate(images, trained)
        _fit_ood(images, source, settings, trained)
    trained.reference = reference_pictures(images, kept, trained.head.ood_detector, thumbnails)
    return trained


def _train_last_layer(
    images: LabelledImages,
    source: FeatureSource,
    settings: RetrainSettings,
    kept: Kept,
    on_epoch: Callable[[Epoch], None],
) -> Trained:
    train, valid = images.subset(TRAIN), images.subset(VALID)
    choice = choose_last_layer(train, settings)
    settings = replace(settings, last_layer=choice.chosen)
    commonest = np.bincount(train.targets).argmax()
    if settings.data_augmentation:
        train = _with_copies(train, source, settings)
    probe_settings = replace(settings, model_optimizer="auto") if settings.layer_to_retrain != "last" else settings
    fitted = fit(train, valid, probe_settings, on_epoch)
    head = Head(
        *(fitted.kernel, fitted.bias, images.classes, settings.model_pooling, settings.model_dropout, images.columns),
        layers=tuple(layer.name for layer in source.inner_layers),
        columns=fitted.columns,
        hidden=fitted.hidden,
        kernel_layer=fitted.kernel_layer,
    )
    trained = Trained(head, fitted.how, kept, metrics={"last_layer": choice.described()})
    if len(kept.rows):
        kept.logits = np.concatenate([fitted.logits(images.take(rows)) for rows in kept.blocks()])
    for side in (VALID, TEST):
        part = images.subset(side)
        if len(part):
            trained.logits[side] = fitted.logits(part)
    trained.metrics["always_the_commonest_class"] = float((valid.targets == commonest).mean())
    if images.columns:
        trained.metrics["columns"] = fitted.compared
        trained.metrics |= _compare_inputs(train, valid, probe_settings, trained.logits[VALID])
    log.info("last layer: %s", trained.summary(images))
    return trained


def _with_copies(train: LabelledImages, source: FeatureSource, settings: RetrainSettings) -> LabelledImages:
    """Return the training rows, each followed by its augmented copies, which count together as much as one picture."""
    from vision_recipes.training.augmented_features import augmented_features

    features, count = augmented_features(source, train, settings), settings.n_augmentation + 1
    repeated = replace(train, features=train.features[:, :0]).take(np.repeat(np.arange(len(train)), count))
    return replace(repeated, features=features, weights=repeated.weights / np.float32(count))


def _compare_inputs(
    train: LabelledImages, valid: LabelledImages, settings: RetrainSettings, logits: np.ndarray
) -> dict[str, float]:
    """Return the validation accuracies of heads that see only the picture, only the table, and both."""
    found = {}
    for name, inputs in (("accuracy_picture_only", "features"), ("accuracy_table_only", "extra")):
        shown, held_out = (
            replace(part, features=getattr(part, inputs), extra=part.extra[:, :0]) for part in (train, valid)
        )
        found[name] = metrics.accuracy(fit(shown, held_out, settings).logits(held_out), valid.targets)
    found["accuracy_both"] = metrics.accuracy(logits, valid.targets)
    log.info(
        "validation accuracy with the picture only %s, the table only %s, both %s",
        *(percent(accuracy) for accuracy in found.values()),
    )
    return found


def _fine_tune(
    images: LabelledImages,
    source: FeatureSource,
    settings: RetrainSettings,
    trained: Trained,
    on_epoch: Callable[[Epoch], None],
) -> LabelledImages:
    """Train the layers below the head too, and take the result if it is better on the validation pictures.

    Returns the images with the features that the network then has.
    """
    from vision_recipes.training.checkpoints import Checkpoints
    from vision_recipes.training.fine_tuning import fine_tune

    checkpoints = Checkpoints(source.cache, _training_key(images, source, settings)) if source.cache else None
    tuned = fine_tune(source.base, trained.head, images, settings, on_epoch=on_epoch, checkpoints=checkpoints)
    if not tuned.beats_start:
        log.warning("fine-tuning did not beat the last layer alone on the validation pictures, so it is not used")
        trained.how += "; fine-tuning did not beat it and is not used"
        trained.metrics["fine_tuning_used"] = False
        return images
    valid_targets = images.targets[images.rows(VALID)]
    trained.metrics |= {
        "fine_tuning_used": True,
        "accuracy_last_layer_alone": metrics.accuracy(trained.logits[VALID], valid_targets),
    }
    trained.network = tuned.network
    how = (
        f"{'trained from random weights' if tuned.start is None else 'fine-tuned'} "
        f"({settings.layer_to_retrain}), {counted(len(tuned.epochs), 'epoch')}, batches of {tuned.batch_size}, "
        f"the best epoch is {tuned.best.number}"
    )
    trained.how = how if tuned.start is None else f"{trained.how}; {how}"
    images = _with_network(images, trained, source)
    log.info("fine-tuning: %s", trained.summary(images))
    return images


def _with_network(images: LabelledImages, trained: Trained, source: FeatureSource) -> LabelledImages:
    """Return the images with the features of the network that was trained; its logits take the place of the others."""
    from vision_recipes.training.batches import features_and_scores

    kept, features = trained.kept, np.zeros((len(images), trained.head.config.features), np.float32)
    for side in (TRAIN, VALID, TEST):
        rows = images.rows(side)
        if not len(rows):
            continue
        features[rows], scores = features_and_scores(trained.network, images.take(rows), source.base.preprocessing)
        logits = np.log(np.maximum(scores, 1e-30))
        if side in trained.logits:
            trained.logits[side] = logits
        of_side = images.sides[kept.rows] == side
        kept.logits[of_side] = logits[np.searchsorted(rows, kept.rows[of_side])]
    return replace(images, features=features)


def _training_key(images: LabelledImages, source: FeatureSource, settings: RetrainSettings) -> str:
    """Return a hash of all that determines a training, so that no other takes up its checkpoints."""
    described = (
        source.base.folder_hash,
        settings,
        list(zip(images.digests, images.labels, strict=True)),
        images.sides.tolist(),
        images.extra.tobytes(),
    )
    return hashlib.sha256(repr(described).encode()).hexdigest()


def _calibrate(images: LabelledImages, trained: Trained) -> None:
    """Scale the logits by a temperature that is fitted on the validation pictures."""
    found = calibrate(trained.logits[VALID], images.targets[images.rows(VALID)])
    temperature = 1 / found.factor
    if found.factor != 1:
        factor, head = np.float32(found.factor), trained.head
        trained.head = replace(head, kernel=head.kernel * factor, bias=head.bias * factor)
        trained.logits = {side: logits * factor for side, logits in trained.logits.items()}
        trained.kept.logits = trained.kept.logits * factor
        if trained.network is not None:
            layer = trained.network.get_layer("head_scores")
            layer.set_weights([np.asarray(weight) * factor for weight in layer.get_weights()])
    trained.metrics["calibration"] = {
        "temperature": temperature,
        "error_before": found.before,
        "error_after": found.after,
    }
    log.info(
        "calibration: temperature %.2f, calibration error %.3f (before: %.3f)", temperature, found.after, found.before
    )


def _fit_ood(images: LabelledImages, source: FeatureSource, settings: RetrainSettings, trained: Trained) -> None:
    """Add the detector of pictures unlike those of the training, if there are enough pictures for one."""
    train, valid = images.subset(TRAIN), images.subset(VALID)
    logits, precision, seed = trained.logits[VALID], settings.verdict_precision, settings.random_seed
    detector = fit_ood(train, valid, logits, precision, source.feature_parts, seed)
    if detector is None:
        log.warning(
            "the model has no out-of-distribution detection: that takes 10 validation pictures, 20 to train on, and at "
            "most %d classes",
            MAX_CLASSES,
        )
        return
    trained.head = replace(trained.head, ood_detector=detector)
    trained.metrics["verdict"] = {"known": detector.config.known, "precision_of_known": detector.config.precision}
    log.info(
        "out-of-distribution detection: %s of the validation pictures are known, %s of these right",
        percent(detector.config.known),
        percent(detector.config.precision),
    )
