"""The steps of teaching a network: the head first, then, if wanted, the layers below it; the better of both is kept."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_recipes.dataset.splits import SIDES, TEST, TRAIN, VALID
from vision_recipes.model_folder.heads import Head
from vision_recipes.model_folder.ood import MAX_CLASSES
from vision_recipes.settings import RetrainSettings
from vision_recipes.stores import Store
from vision_recipes.training.epochs import Epoch
from vision_recipes.training.examples import Examples
from vision_recipes.training.features import compute_copies
from vision_recipes.training.lessons import Lesson
from vision_recipes.training.linear_probe import fit
from vision_recipes.training.ood import Seen, calibrate, find_verdict
from vision_recipes.training.run_reports import Judged
from vision_recipes.training.tensorboard_logs import Curves

if TYPE_CHECKING:
    from vision_recipes.training.film import Film

log = logging.getLogger("vision_recipes")


@dataclass
class Taught:
    """What came of it: the head, and a keras.Model when layers below were trained with profit; how it is judged."""

    head: Head
    how: str
    network: Any = None
    epochs: list[tuple[str, Epoch]] = field(default_factory=list)
    judged: dict[str, tuple[np.ndarray, Judged]] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    film: Film | None = None

    @property
    def summary(self) -> str:
        """A sentence on the accuracy, for the log."""
        told = [
            f"{judged.accuracy:.1%} of {len(judged.targets)} {name} pictures right"
            for name, (_, judged) in self.judged.items()
        ]
        return "; ".join([*told, self.how])


def teach(lesson: Lesson, output: Store) -> Taught:
    """Return the taught network. TensorBoard logs are written into `output` meanwhile, if the settings say so."""
    settings = lesson.source.settings
    with Curves(output) if settings.tensorboard else nullcontext() as curves:
        record = _Record(curves)
        taught = _teach_head(lesson, record)
        if settings.layer_to_retrain != "last":
            taught.film = _tune(lesson, taught, record)
    taught.epochs = record.epochs
    know_limits(lesson, taught)
    return taught


def know_limits(lesson: Lesson, taught: Taught) -> None:
    """Make the probabilities honest on the validation pictures, and learn which pictures are like those of training."""
    if SIDES[VALID] not in taught.judged:
        return
    rows, judged = taught.judged[SIDES[VALID]]
    found = calibrate(judged.logits, judged.targets)
    if found.factor != 1:
        _sharpen(taught, found.factor)
    told = {"temperature": 1 / found.factor, "error_before": found.before, "error_after": found.after}
    taught.metrics["calibration"] = told
    train = lesson.rows(TRAIN)
    if taught.network is None or taught.film is None:
        features = lesson.features[train], lesson.features[rows]
    else:
        features = taught.film.features(taught.network, train), taught.film.features(taught.network, rows)
    valid = Seen(features[1], lesson.targets[rows], taught.judged[SIDES[VALID]][1].logits)
    verdict = find_verdict(
        Seen(features[0], lesson.targets[train], np.empty(0)), valid, lesson.source.settings.verdict_precision
    )
    log.info(
        "probabilities: temperature %.2f, calibration error %.3f (before: %.3f)",
        1 / found.factor,
        found.after,
        found.before,
    )
    if verdict is None:
        log.warning(
            "classifying will not tell known pictures from others: that takes 10 validation pictures, 20 to train on, "
            "and at most %d classes",
            MAX_CLASSES,
        )
        return
    taught.head = replace(taught.head, ood_detector=verdict)
    taught.metrics["verdict"] = {"known": verdict.config.known, "precision_of_known": verdict.config.precision}
    log.info(
        "verdicts: %.0f %% of the validation pictures are known, %.1f %% of these right",
        100 * verdict.config.known,
        100 * verdict.config.precision,
    )


def _sharpen(taught: Taught, factor: float) -> None:
    """Multiply the logits of the network by a factor."""
    head = taught.head
    taught.head = replace(head, kernel=head.kernel * np.float32(factor), bias=head.bias * np.float32(factor))
    if taught.network is not None:
        layer = taught.network.get_layer("head_scores")
        layer.set_weights([np.asarray(weight) * np.float32(factor) for weight in layer.get_weights()])
    for name, (rows, judged) in list(taught.judged.items()):
        taught.judged[name] = (rows, replace(judged, logits=judged.logits * np.float32(factor)))


class _Record:
    """Collects the epochs of all stages; in the curves they are numbered through."""

    def __init__(self, curves: Curves | None) -> None:
        self.epochs: list[tuple[str, Epoch]] = []
        self._curves = curves

    def of(self, stage: str) -> Callable[[Epoch], None]:
        """Return what hears of the epochs of a stage."""

        def note(epoch: Epoch) -> None:
            self.epochs.append((stage, epoch))
            if self._curves is not None:
                self._curves.add(replace(epoch, number=len(self.epochs)))

        return note


def _teach_head(lesson: Lesson, record: _Record) -> Taught:
    settings, valid = lesson.source.settings, lesson.examples(VALID)
    train = _with_copies(lesson) if settings.data_augmentation else lesson.examples(TRAIN)
    fits = replace(settings, model_optimizer="auto") if settings.layer_to_retrain != "last" else settings
    fitted = fit(train, valid, fits, record.of("last layer"))
    head = Head(
        fitted.kernel, fitted.bias, lesson.labels, settings.model_pooling, settings.model_dropout, lesson.columns
    )
    taught = Taught(head, fitted.how)
    for side in (VALID, TEST):
        rows = lesson.rows(side)
        if len(rows):
            logits = fitted.logits(lesson.examples(side))
            taught.judged[SIDES[side]] = (rows, Judged(logits, lesson.targets[rows], lesson.labels))
    counts = np.bincount(lesson.targets[lesson.rows(TRAIN)])
    taught.metrics["always_the_commonest_class"] = float((valid.targets == counts.argmax()).mean())
    if lesson.columns:
        taught.metrics |= _compare(train, valid, fits, taught.judged[SIDES[VALID]][1].accuracy)
    log.info("last layer: %s", taught.summary)
    return taught


def _with_copies(lesson: Lesson) -> Examples:
    """Return the training rows, each followed by its varied copies, which count together as much as one picture."""
    rows, train = lesson.rows(TRAIN), lesson.examples(TRAIN)
    count = lesson.source.settings.n_augmentation + 1
    features = compute_copies(lesson.source, [lesson.pictures[row] for row in rows], train.features)
    return Examples(
        features,
        np.repeat(train.extra, count, axis=0),
        np.repeat(train.targets, count),
        np.repeat(train.weights, count) / np.float32(count),
        np.repeat(train.groups, count),
        train.classes,
    )


def _compare(train: Examples, valid: Examples, settings: RetrainSettings, both: float) -> dict[str, float]:
    """Return the validation accuracies of heads that see only the picture, only the table, and both."""

    def without_table(rows: Examples) -> Examples:
        return replace(rows, extra=rows.extra[:, :0])

    def without_picture(rows: Examples) -> Examples:
        return replace(rows, features=rows.extra, extra=rows.extra[:, :0])

    found = {}
    for name, seen in (("accuracy_picture_only", without_table), ("accuracy_table_only", without_picture)):
        judged = seen(valid)
        guesses = fit(seen(train), judged, settings).logits(judged).argmax(axis=1)
        found[name] = float((guesses == valid.targets).mean())
    found["accuracy_both"] = both
    log.info(
        "validation accuracy with the picture only %.1f %%, the table only %.1f %%, both %.1f %%",
        *(100 * accuracy for accuracy in found.values()),
    )
    return found


def _tune(lesson: Lesson, taught: Taught, record: _Record) -> Film:
    """Train the layers below the head too, and take the result if it is better on the validation pictures."""
    from vision_recipes.training.film import Film
    from vision_recipes.training.fine_tuning import Watch, fine_tune

    source, settings = lesson.source, lesson.source.settings
    film = Film(lesson)
    key = hashlib.sha256(
        repr(
            (
                source.base.folder_hash,
                settings,
                [(picture.digest, picture.label) for picture in lesson.pictures],
                lesson.sides.tolist(),
                lesson.extra.tobytes(),
            )
        ).encode()
    ).hexdigest()
    tuned = fine_tune(
        source.base, taught.head, film.shots(), settings, Watch(record.of("fine-tuning"), source.cache, key)
    )
    how = (
        f"{'trained from random weights' if tuned.start is None else 'fine-tuned'} "
        f"({settings.layer_to_retrain}), {len(tuned.epochs)} epochs, batches of {tuned.batch_size}, "
        f"the best epoch is {tuned.best.number}"
    )
    if not tuned.beats_start:
        log.warning("fine-tuning did not beat the last layer alone on the validation pictures, so it is not used")
        taught.how += "; fine-tuning did not beat it and is not used"
        taught.metrics["fine_tuning_used"] = False
        return film
    taught.network, taught.metrics["fine_tuning_used"] = tuned.network, True
    taught.metrics["accuracy_last_layer_alone"] = taught.judged[SIDES[VALID]][1].accuracy
    taught.how = how if tuned.start is None else f"{taught.how}; {how}"
    for name, (rows, judged) in list(taught.judged.items()):
        taught.judged[name] = (rows, replace(judged, logits=film.logits(tuned.network, rows)))
    log.info("fine-tuning: %s", taught.summary)
    return film
